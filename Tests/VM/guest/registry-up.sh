# Starts the registry and waits until it answers.
docker-registry serve /vm/registry.yml > /tmp/registry.log 2>&1 &
for _ in $(seq 300); do
    curl -s -o /dev/null http://127.0.0.1:5000/v2/ && break
    sleep 0.1
done
