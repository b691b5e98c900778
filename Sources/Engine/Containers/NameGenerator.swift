/// Names for containers that were given none: an adjective and a surname, as docker's users know them.
enum NameGenerator {
    private static let adjectives = [
        "able", "agile", "amber", "bold", "brave", "bright", "brisk", "calm", "candid", "clever", "cosmic", "crisp",
        "curious", "daring", "deft", "eager", "earnest", "elated", "fair", "fearless", "fervent", "fond", "frank",
        "gallant", "gentle", "glad", "golden", "happy", "hardy", "honest", "humble", "jolly", "jovial", "keen", "kind",
        "lively", "loyal", "lucid", "merry", "mighty", "modest", "nimble", "noble", "patient", "placid", "polite",
        "proud", "quick", "quiet", "ready", "serene", "sharp", "silent", "sincere", "steady", "sunny", "swift",
        "tender", "trusty", "upbeat", "vivid", "warm", "wise", "witty", "zealous",
    ]

    private static let surnames = [
        "abel", "ampere", "archimedes", "babbage", "backus", "banach", "bell", "bernoulli", "bohr", "boole", "cantor",
        "cauchy", "cerf", "church", "codd", "conway", "cray", "curie", "dijkstra", "dirac", "eckert", "engelbart",
        "erdos", "euclid", "euler", "faraday", "fermat", "feynman", "floyd", "fourier", "galois", "gauss", "germain",
        "goedel", "goldberg", "hamilton", "hamming", "hilbert", "hoare", "hopper", "huffman", "johnson", "kepler",
        "kernighan", "knuth", "kovalevskaya", "lamport", "laplace", "leibniz", "liskov", "lovelace", "maxwell",
        "mccarthy", "meitner", "mendel", "minsky", "newton", "noether", "pascal", "perlman", "planck", "poincare",
        "ramanujan", "riemann", "ritchie", "shannon", "stallman", "tesla", "thompson", "torvalds", "turing", "wilkes",
        "wirth", "yonath", "zuse",
    ]

    /// A name for which `isTaken` is false: with digits behind it when there are many containers.
    static func name(isTaken: (String) -> Bool) -> String {
        var digits = 0
        while true {
            let first = adjectives.randomElement() ?? "able"
            let second = surnames.randomElement() ?? "abel"
            for _ in 0..<4 {
                let number = digits == 0 ? "" : "\(Int.random(in: 0..<digits))"
                let name = "\(first)_\(second)\(number)"
                if !isTaken(name) { return name }
                digits = digits.multipliedReportingOverflow(by: 10).overflow ? digits : max(10, digits * 10)
            }
        }
    }
}
