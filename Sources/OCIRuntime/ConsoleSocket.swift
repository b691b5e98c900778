internal import Glibc
internal import Sys

/// The caller's socket for the terminal of a process (`--console-socket`).
enum ConsoleSocket {
    /// One message, the name that callers show of the terminal, with the master's descriptor.
    static func send(_ terminal: Int32, to path: String) throws(ContainerError) {
        try call("send the terminal to", path) { () throws(Errno) in
            let socket = try StreamSocket.connect(path)
            try StreamSocket.send(socket.raw, Array("/dev/ptmx".utf8), descriptor: terminal)
        }
    }
}
