/// What this build is.
package enum Version {
    package static let number = "0.1.0"
    package static let commit = ""
    package static let buildTime = ""
    package static let swift = "6.3"
}
