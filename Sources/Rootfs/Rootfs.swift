/// Rootfs.
