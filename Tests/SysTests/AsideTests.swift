import Glibc
import Synchronization
import Sys
import Testing

@Suite struct AsideTests {
    private enum Fault: Error { case some }

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    @Test func theValueIsThatOfItsBody() throws {
        let aside = Aside { (0..<1000).reduce(0, +) }
        #expect(aside.value() == 499_500)
        #expect(aside.value() == 499_500)
        let failing = Aside<Result<Int, Fault>> { .failure(.some) }
        #expect(throws: Fault.some) { try failing.value().get() }
    }

    @Test func nothingGoesOnWhenItIsDropped() {
        let flag = Flag()
        do {
            let aside = Aside<Void> {
                usleep(20_000)
                flag.isSet.store(true, ordering: .releasing)
            }
            withExtendedLifetime(aside) {}
        }
        let isSet = flag.isSet.load(ordering: .acquiring)
        #expect(isSet)
    }
}
