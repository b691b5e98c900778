# Containers whose cgroups systemd keeps, which is process 1 here.
. /vm/run-suites.sh

# It is still on its way up, and what it has to do then is no test's fault.
for _ in $(seq 600); do
    case $(systemctl is-system-running) in running | degraded) break ;; esac
    sleep 0.5
done
[ "$(cat /proc/1/comm)" = systemd ] || fail systemd "process 1 is $(cat /proc/1/comm)"
report "note $(systemctl --version | head -1), up after $(cut -d ' ' -f 1 /proc/uptime) s"
run_suites systemd --filter '^OCIRuntimeTests\.OCIRuntimeTests/SystemdCgroup/' \
    --filter '^OCIRuntimeTests\.OCICallers/BySystemd/'
expect_suites systemd OCIRuntimeTests.SystemdCgroup OCICallers.BySystemd
left=$(systemctl list-units --all --plain --no-legend 'runimg*' 'cri-*' 'libpod-*' | head -3)
if [ -z "$left" ]; then pass "systemd: no unit is left"; else fail "systemd: no unit is left" "$left"; fi
