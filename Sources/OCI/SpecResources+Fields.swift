extension Spec.Resources: FieldRecord {
    package static var blank: Spec.Resources { Spec.Resources() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("devices", &devices)
        try coder.field("memory", &memory)
        try coder.field("cpu", &cpu)
        try coder.field("pids", &pids)
        try coder.field("blockIO", &blockIO)
        try coder.field("hugepageLimits", &hugepageLimits)
        try coder.field("network", &network)
        try coder.field("rdma", &rdma)
        try coder.field("unified", &unified)
    }
}

extension Spec.DeviceRule: FieldRecord {
    package static var blank: Spec.DeviceRule { Spec.DeviceRule(allow: false) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("allow", &allow, .required)
        try coder.text("type", &type)
        try coder.field("major", &major)
        try coder.field("minor", &minor)
        try coder.field("access", &access)
    }
}

extension Spec.Memory: FieldRecord {
    package static var blank: Spec.Memory { Spec.Memory() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("limit", &limit)
        try coder.field("reservation", &reservation)
        try coder.field("swap", &swap)
        try coder.field("kernel", &kernel)
        try coder.field("kernelTCP", &kernelTCP)
        try coder.field("swappiness", &swappiness)
        try coder.field("disableOOMKiller", &disableOOMKiller)
        try coder.field("useHierarchy", &useHierarchy)
        try coder.field("checkBeforeUpdate", &checkBeforeUpdate)
    }
}

extension Spec.CPU: FieldRecord {
    package static var blank: Spec.CPU { Spec.CPU() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("shares", &shares)
        try coder.field("quota", &quota)
        try coder.field("burst", &burst)
        try coder.field("period", &period)
        try coder.field("realtimeRuntime", &realtimeRuntime)
        try coder.field("realtimePeriod", &realtimePeriod)
        try coder.text("cpus", &cpus)
        try coder.text("mems", &mems)
        try coder.field("idle", &idle)
    }
}

extension Spec.Pids: FieldRecord {
    package static var blank: Spec.Pids { Spec.Pids(limit: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("limit", &limit, .written)
    }
}

extension Spec.BlockIO: FieldRecord {
    package static var blank: Spec.BlockIO { Spec.BlockIO() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("weight", &weight)
        try coder.field("leafWeight", &leafWeight)
        try coder.field("weightDevice", &weightDevice)
        try coder.field("throttleReadBpsDevice", &throttleReadBpsDevice)
        try coder.field("throttleWriteBpsDevice", &throttleWriteBpsDevice)
        try coder.field("throttleReadIOPSDevice", &throttleReadIOPSDevice)
        try coder.field("throttleWriteIOPSDevice", &throttleWriteIOPSDevice)
    }
}

extension Spec.WeightDevice: FieldRecord {
    package static var blank: Spec.WeightDevice { Spec.WeightDevice(major: 0, minor: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("major", &major, .required)
        try coder.field("minor", &minor, .required)
        try coder.field("weight", &weight)
        try coder.field("leafWeight", &leafWeight)
    }
}

extension Spec.ThrottleDevice: FieldRecord {
    package static var blank: Spec.ThrottleDevice { Spec.ThrottleDevice(major: 0, minor: 0, rate: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("major", &major, .required)
        try coder.field("minor", &minor, .required)
        try coder.field("rate", &rate, .required)
    }
}

extension Spec.HugepageLimit: FieldRecord {
    package static var blank: Spec.HugepageLimit { Spec.HugepageLimit(pageSize: "", limit: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("pageSize", &pageSize, .required)
        try coder.field("limit", &limit, .required)
    }
}

extension Spec.Network: FieldRecord {
    package static var blank: Spec.Network { Spec.Network() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("classID", &classID)
        try coder.field("priorities", &priorities)
    }
}

extension Spec.Network.Priority: FieldRecord {
    package static var blank: Spec.Network.Priority { Spec.Network.Priority(name: "", priority: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("name", &name, .required)
        try coder.field("priority", &priority, .required)
    }
}

extension Spec.RDMA: FieldRecord {
    package static var blank: Spec.RDMA { Spec.RDMA() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("hcaHandles", &hcaHandles)
        try coder.field("hcaObjects", &hcaObjects)
    }
}
