/// The version of this program, as `vigil version` and `/health` tell it.
package enum Version {
    package static let current = "0.1.0"
}
