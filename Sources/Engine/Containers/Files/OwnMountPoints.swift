/// Places that runimg itself makes in a container's upper directory, to mount something there: no work of the container
/// and no part of an image made of it. docker keeps them in a layer of their own.
enum OwnMountPoints {
    static let paths = ["dev", "proc", "sys", "etc/hostname", "etc/hosts", "etc/resolv.conf"]
}
