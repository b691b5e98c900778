# Works on the data disk until the host cuts the power. vm.do=pull fetches the image, vm.do=remove removes the one there.
. /vm/report.sh
mkdir -p /var/lib/runimg
mount -t ext4 /dev/vdb /var/lib/runimg || { fail "mount the data disk"; exit 0; }
. /vm/registry-up.sh
# On the disk as it is; what the test is about is not in it yet.
sync
report begin
case $(option do) in
pull) runimg pull -q 127.0.0.1:5000/library/layered:latest ;;
remove) runimg rmi 127.0.0.1:5000/library/layered:latest ;;
esac
report "end $?"
# Nothing else: a system that is switched off properly would write all down.
while :; do sleep 1; done
