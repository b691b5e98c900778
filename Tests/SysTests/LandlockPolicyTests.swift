import Sys
import Testing

/// The rules that each kernel gets, computed from the ABI's number alone.
@Suite struct LandlockPolicyTests {
    @Test(arguments: [Int32(-1), 0, 1]) func withoutMovesBetweenDirectoriesThereIsNone(abi: Int32) {
        #expect(LandlockPolicy(abi: abi) == nil)
    }

    @Test(arguments: [
        (Int32(2), UInt64(0x3fff), UInt64(0), UInt64(0), 4), (3, 0x7fff, 0, 0, 3), (4, 0x7fff, 3, 0, 2),
        (5, 0xffff, 3, 0, 1), (6, 0xffff, 3, 3, 0), (7, 0xffff, 3, 3, 0), (99, 0xffff, 3, 3, 0),
    ])
    func allThatTheKernelKnowsIsHandled(abi: Int32, files: UInt64, network: UInt64, scopes: UInt64, lacking: Int) throws
    {
        let policy = try #require(LandlockPolicy(abi: abi))
        #expect(policy.files.rawValue == files)
        #expect(policy.network.rawValue == network)
        #expect(policy.scopes.rawValue == scopes)
        #expect(policy.lacking.count == lacking)
    }

    @Test(arguments: [Int32(2), 3, 4, 5, 6, 7])
    func nothingIsExecutedAndNoGrantIsMoreThanTheKernelKnows(abi: Int32) throws {
        let policy = try #require(LandlockPolicy(abi: abi))
        for grant in [LandlockPolicy.Grant.read, .files, .trees] {
            for isDirectory in [true, false] {
                let rights = policy.rights(grant, isDirectory: isDirectory)
                #expect(rights.isSubset(of: policy.files))
                #expect(rights.isDisjoint(with: [.execute, .controlDevice]))
                #expect(rights.contains(.readFile))
                if !isDirectory { #expect(rights.isSubset(of: [.readFile, .writeFile, .truncate])) }
            }
        }
        let writing = LandlockPolicy.Files(rawValue: policy.files.rawValue).subtracting([.readFile, .readDirectory])
        #expect(policy.rights(.read, isDirectory: true).isDisjoint(with: writing))
        #expect(
            policy.rights(.files, isDirectory: true).isDisjoint(with: [
                .makeBlockDevice, .makeCharacterDevice, .makeLink, .makeDirectory, .makeFifo, .makeSocket, .refer,
            ]))
        #expect(
            policy.rights(.trees, isDirectory: true) == policy.files.subtracting([.execute, .controlDevice]))
    }
}
