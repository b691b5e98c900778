internal import OCI
internal import Sys

/// systemd as it manages units, by its API on D-Bus (org.freedesktop.systemd1(5)): the host's, or one user's.
package final class SystemdManager {
    private let connection: DBusConnection

    static let name = "org.freedesktop.systemd1"
    static let path = "/org/freedesktop/systemd1"
    static let manager = "org.freedesktop.systemd1.Manager"
    static let unit = "org.freedesktop.systemd1.Unit"
    private static let properties = "org.freedesktop.DBus.Properties"

    /// - Parameter isUser: that of our user in place of the host's.
    package convenience init(isUser: Bool) throws(SystemdError) {
        try self.init(
            places: SystemdPlace.all(isUser: isUser), name: isUser ? "systemd of this user's" : "systemd")
    }

    /// The first of `places` that answers.
    package init(places: [SystemdPlace], name: String) throws(SystemdError) {
        var tried: [String] = []
        for place in places {
            do throws(SystemdError) {
                connection = try SystemdManager.connected(place)
                return
            } catch {
                tried.append("\(error)")
            }
        }
        throw .unreachable(manager: name, tried: tried.isEmpty ? ["no place of its is known"] : tried)
    }

    init(_ connection: DBusConnection) { self.connection = connection }

    private static func connected(_ place: SystemdPlace) throws(SystemdError) -> DBusConnection {
        let connection = try DBusConnection(place.path)
        if place.isBus {
            let bus = "org.freedesktop.DBus"
            let (path, match) = ("/org/freedesktop/DBus", "type='signal',sender='\(name)',interface='\(manager)'")
            try connection.call("Hello", of: bus, at: path, bus)
            try connection.call("AddMatch", of: bus, at: path, bus, [.string(match)])
        }
        // Without it no job's end is told. By its own socket systemd may say that it does so anyway.
        do throws(SystemdError) {
            try connection.call("Subscribe", of: manager, at: SystemdManager.path, name)
        } catch {
            if place.isBus || error.name == nil { throw error }
        }
        return connection
    }

    // MARK: Units

    /// Makes a unit that lasts as long as something is in it, and returns when it is there.
    package func start(_ unit: String, _ properties: [UnitProperty]) throws(SystemdError) {
        let body: [DBusValue] = [
            .string(unit), .string("fail"), try known(properties), .array(of: "(sa(sv))", []),
        ]
        var left = 3
        while true {
            do throws(SystemdError) {
                return try run("start", unit, "StartTransientUnit", body)
            } catch {
                guard error.name == "\(SystemdManager.name).UnitExists", left > 0 else { throw error }
                left -= 1
                // One that has failed is kept, and one that has just ended a moment longer.
                guard try isIdle(unit) else { throw error }
                try reset(unit)
                var none: [PollItem] = []
                _ = try? PollItem.wait(&none, milliseconds: 20)
            }
        }
    }

    /// Ends a unit with all that is in it, and returns when it is gone. One that is not there is no error.
    package func stop(_ unit: String) throws(SystemdError) {
        do throws(SystemdError) {
            try run("stop", unit, "StopUnit", [.string(unit), .string("replace")])
        } catch {
            if error.name == "\(SystemdManager.name).NoSuchUnit" { return }
            throw error
        }
        try reset(unit)
    }

    /// Takes away what systemd keeps of a unit that has failed.
    private func reset(_ unit: String) throws(SystemdError) {
        do throws(SystemdError) {
            try call("ResetFailedUnit", [.string(unit)])
        } catch {
            if error.name != "\(SystemdManager.name).NoSuchUnit" { throw error }
        }
    }

    /// Changes properties until the unit ends, and returns when its cgroup has the new values.
    package func set(_ unit: String, _ properties: [UnitProperty]) throws(SystemdError) {
        let body: [DBusValue] = [.string(unit), .boolean(true), try known(properties)]
        try call("SetUnitProperties", body)
        // It writes to the cgroup behind its answer, and before it looks at another call.
        _ = try property("ActiveState", of: unit)
    }

    /// Below the roots of the hierarchies.
    package func cgroup(of unit: String) throws(SystemdError) -> String {
        let kind = unit.hasSuffix(".slice") ? "Slice" : "Scope"
        let value = try property("ControlGroup", of: unit, in: "\(SystemdManager.name).\(kind)")
        guard let path = value.text, path.utf8.first == UInt8(ascii: "/"), path.utf8.count > 1 else {
            throw .answer(call: "which cgroup unit \(unit) has", reason: "none")
        }
        return path
    }

    /// The cgroup in which all of its units are.
    package func root() throws(SystemdError) -> String {
        guard let path = try property("ControlGroup", at: SystemdManager.path, in: SystemdManager.manager).text else {
            throw .answer(call: "which cgroup it has", reason: "none")
        }
        return path
    }

    /// Its number; 0 for what begins with none.
    func version() throws(SystemdError) -> Int {
        let text = try property("Version", at: SystemdManager.path, in: SystemdManager.manager).text ?? ""
        let digits = text.drop { !("0"..."9").contains($0) }.prefix { ("0"..."9").contains($0) }
        return Int(digits) ?? 0
    }

    /// As `systemctl show` has it; of `in` where it is a property of one kind of units only.
    package func property(
        _ property: String, of unit: String, in interface: String = SystemdManager.unit
    ) throws(SystemdError) -> DBusValue {
        let answer = try call("LoadUnit", [.string(unit)])
        guard let path = answer.first?.text else { throw .answer(call: "LoadUnit", reason: "no unit") }
        return try self.property(property, at: path, in: interface)
    }

    // MARK: Calls

    /// Without what this version does not know: our own hands set it as well.
    private func known(_ properties: [UnitProperty]) throws(SystemdError) -> DBusValue {
        let newest = properties.map(\.since).max() ?? 0
        let version = newest == 0 ? 0 : try version()
        return .array(of: "(sv)", properties.filter { $0.since <= version }.map(\.value))
    }

    private func isIdle(_ unit: String) throws(SystemdError) -> Bool {
        let state = try property("ActiveState", of: unit).text
        return state == "inactive" || state == "failed"
    }

    private func property(
        _ property: String, at path: String, in interface: String
    ) throws(SystemdError) -> DBusValue {
        let answer = try connection.call(
            "Get", of: SystemdManager.properties, at: path, SystemdManager.name,
            [.string(interface), .string(property)])
        guard case .variant(let value)? = answer.first else {
            throw .answer(call: "Get \(property)", reason: "no value")
        }
        return value
    }

    @discardableResult
    private func call(_ method: String, _ body: [DBusValue]) throws(SystemdError) -> [DBusValue] {
        try connection.call(method, of: SystemdManager.manager, at: SystemdManager.path, SystemdManager.name, body)
    }

    /// Has a job made, and waits for its end.
    private func run(
        _ verb: String, _ unit: String, _ method: String, _ body: [DBusValue]
    ) throws(SystemdError) {
        guard let job = try call(method, body).first?.text else { throw .answer(call: method, reason: "no job") }
        let end = try connection.awaitSignal(
            "JobRemoved", of: SystemdManager.manager, for: "\(method) of \(unit)"
        ) { body in
            body.count == 4 && body[1].text == job
        }
        let result = end[3].text ?? ""
        if result == "done" { return }
        if verb == "start" { try? reset(unit) }
        throw .job(verb: verb, unit: unit, result: result)
    }
}
