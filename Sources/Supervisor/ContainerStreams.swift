package import Sys

/// The pipes between a container without a terminal and runimg. The caller's own descriptors never go into a container:
/// a terminal could be typed into (TIOCSTI), a file opened anew with more rights.
package struct ContainerStreams: ~Copyable {
    private var input: Pipe?
    private var output: Pipe
    private var error: Pipe
    /// What the container gets as 0, 1 and 2; -1 stands for /dev/null.
    package let containerEnds: (input: Int32, output: Int32, error: Int32)

    /// Pipes for output and error, and one for input when `interactive`. The launch gives them to the container's user,
    /// so that its process can open `/dev/stdout` anew whoever it runs as.
    package init(interactive: Bool) throws(Errno) {
        let output = try Pipe()
        let error = try Pipe()
        var reader: Int32 = -1
        var input: Pipe?
        if interactive {
            let pipe = try Pipe()
            reader = pipe.reader.raw
            input = consume pipe
        }
        containerEnds = (reader, output.writer.raw, error.writer.raw)
        self.input = input
        self.output = consume output
        self.error = consume error
    }

    /// What a container with these gets; none of them where it has a terminal.
    package static func ends(of streams: borrowing ContainerStreams?) -> (input: Int32, output: Int32, error: Int32) {
        switch streams {
        case .some(let streams): streams.containerEnds
        case .none: (-1, -1, -1)
        }
    }

    /// Gives up the container's ends, once it has them: else our ends would never see end of file.
    package consuming func keepOurs() -> AttachedStreams {
        var writer: OwnedFD?
        if let pipe = input.take() { writer = pipe.keepWriter() }
        return AttachedStreams(input: writer, output: output.keepReader(), error: error.keepReader())
    }
}

/// Our ends of a started container's pipes.
package struct AttachedStreams: ~Copyable {
    var input: OwnedFD?
    var output: OwnedFD?
    var error: OwnedFD?

    /// Their numbers, for whoever borrows them; -1 where there is none.
    package let inputNumber: Int32
    package let outputNumber: Int32
    package let errorNumber: Int32

    init(input: consuming OwnedFD?, output: consuming OwnedFD, error: consuming OwnedFD) {
        outputNumber = output.raw
        errorNumber = error.raw
        if let input {
            inputNumber = input.raw
            self.input = consume input
        } else {
            inputNumber = -1
            self.input = nil
        }
        self.output = consume output
        self.error = consume error
    }
}
