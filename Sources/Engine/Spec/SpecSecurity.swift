internal import OCI
internal import Runtime
internal import Sys

extension SpecBuilder {
    /// The capability sets: inheritable and ambient are always empty, and who is not root holds none.
    static func capabilities(_ isolation: IsolationOptions, uid: UInt32) throws(EngineError) -> Spec.Capabilities {
        let names = try bounding(isolation).names
        var result = Spec.Capabilities()
        result.bounding = names
        if uid == 0 {
            result.permitted = names
            result.effective = names
        }
        return result
    }

    static func bounding(_ isolation: IsolationOptions) throws(EngineError) -> CapabilityMask {
        let profile: CapabilityProfile =
            switch isolation.capabilityProfile {
            case .runimg: .runimg
            case .docker: .docker
            case .podman: .podman
            }
        do throws(CapabilityError) {
            return try profile.resolve(
                adding: isolation.addedCapabilities, dropping: isolation.droppedCapabilities,
                privileged: isolation.privileged)
        } catch {
            throw .invalid("\(error)")
        }
    }

    /// The seccomp profile that the flags choose; nil for none. `read` gives a profile file's bytes.
    static func seccomp(
        _ isolation: IsolationOptions, read: (String) throws(EngineError) -> [UInt8]
    ) throws(EngineError) -> Spec.Seccomp? {
        switch isolation.seccomp {
        case .unconfined: return nil
        case .standard:
            return isolation.privileged ? nil : SeccompDefault.profile(capabilities: try bounding(isolation))
        case .profile(let path):
            let bytes = try read(path)
            let mask = try bounding(isolation)
            do throws(SeccompError) {
                return try SeccompProfileFile.parse(bytes, capabilities: mask)
            } catch {
                throw .invalid("opening seccomp profile (\(path)) failed: \(error)")
            }
        }
    }
}
