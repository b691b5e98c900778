import Cgroups
import Glibc
import OCI
import Sys
import Testing

/// A cgroup path of a test's own, gone when the test is.
struct Fixture: ~Copyable {
    let manager: CgroupManager
    let path: String

    init() throws {
        manager = try CgroupManager.detect()
        path = "/runimg-tests/\(Random.hex(bytes: 6))"
    }

    deinit {
        if let left = try? manager.open(path: path) {
            try? left.killAll()
            try? left.remove()
        }
    }
}

@Suite struct CgroupsTests {
    @Test func makesAndRemoves() throws {
        let fixture = try Fixture()
        let cgroup = try fixture.manager.create(path: fixture.path, resources: Spec.Resources())
        #expect(try cgroup.processes().isEmpty)
        for hierarchy in fixture.manager.layout.hierarchies {
            #expect(File.exists("\(hierarchy.mountPoint)\(fixture.path)"))
        }
        try cgroup.remove()
        for hierarchy in fixture.manager.layout.hierarchies {
            #expect(!File.exists("\(hierarchy.mountPoint)\(fixture.path)"))
        }
        #expect(try fixture.manager.open(path: fixture.path) == nil)
    }
}
