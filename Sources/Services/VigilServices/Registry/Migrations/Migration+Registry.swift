package import VigilPorts

extension Migration {
    /// Migration 5: sites, locations, profiles, devices and what belongs to them.
    package static let registry = Migration(
        embedded: "0005_registry", folder: "Registry/Migrations", text: EmbeddedFiles.text)
}
