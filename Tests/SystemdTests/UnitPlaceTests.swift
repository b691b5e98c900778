import OCI
import Testing

@testable import Systemd

/// systemd.unit(5) and systemd.slice(5): names, and what they say of places.
@Suite struct UnitPlaceTests {
    private func place(_ path: String?, id: String = "c1", isUser: Bool = false) throws -> UnitPlace {
        try UnitPlace(cgroupsPath: path, id: id, isUser: isUser)
    }

    @Test(arguments: [
        ("system.slice:docker:0123ab", "docker-0123ab.scope", "system.slice", "/system.slice/docker-0123ab.scope"),
        (
            "kubepods-burstable-pod12.slice:cri-containerd:ab", "cri-containerd-ab.scope",
            "kubepods-burstable-pod12.slice",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12.slice/cri-containerd-ab.scope"
        ),
        ("machine.slice:libpod:ab", "libpod-ab.scope", "machine.slice", "/machine.slice/libpod-ab.scope"),
        (":runc:ab", "runc-ab.scope", "system.slice", "/system.slice/runc-ab.scope"),
        ("-:runc:ab", "runc-ab.scope", "-.slice", "/runc-ab.scope"),
        ("-.slice::ab", "ab.scope", "-.slice", "/ab.scope"),
        ("user.slice:a:b_c", "a-b_c.scope", "user.slice", "/user.slice/a-b_c.scope"),
        ("a.slice:x:a-b.slice", "a-b.slice", "a.slice", "/a.slice/a-b.slice"),
        ("::a-b.slice", "a-b.slice", "a.slice", "/a.slice/a-b.slice"),
        ("-::top.slice", "top.slice", "-.slice", "/top.slice"),
    ])
    func saysUnitAndPath(_ given: String, _ unit: String, _ slice: String, _ path: String) throws {
        let place = try place(given)
        #expect(place.unit == unit && place.slice == slice && place.path == path)
        #expect(place.isSlice == unit.hasSuffix(".slice"))
    }

    @Test func hasAPlaceOfItsOwnWhereNoneIsGiven() throws {
        #expect(try place(nil).path == "/system.slice/runimg-oci-c1.scope")
        #expect(try place("", isUser: true).path == "/user.slice/runimg-oci-c1.scope")
        #expect(try place(nil, id: "a+b_c.d").unit == "runimg-oci-a\\x2bb_c.d.scope")
        #expect(try place(":x:y", isUser: true).slice == "user.slice")
    }

    @Test(arguments: [
        "/docker/0123", "docker", "a:b", "a:b:c:d", "system.slice:docker:", "system:docker:x", "a/b.slice:docker:x",
        "-a.slice:docker:x", "a-.slice:docker:x", "a--b.slice:docker:x", ".slice:docker:x", "system.slice:do/cker:x",
        "system.slice:docker:../x", "system.slice:docker:x y", "system.slice:docker:x\n", "b.slice::a-b.slice",
        "::-.slice", "::a--b.slice", "system.slice:ä:x", "system.slice:docker:" + String(repeating: "x", count: 250),
        "system.slice:docker@:x",
    ])
    func whatIsNoneIsRefused(_ given: String) throws {
        let error = try #require(throws: SystemdError.self) { try place(given) }
        let text = "\(error)"
        #expect(text.contains("linux.cgroupsPath") && !text.contains("\n") && text.utf8.count < 700, "\(text)")
    }
}
