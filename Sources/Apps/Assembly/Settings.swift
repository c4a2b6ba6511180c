import SMTPAdapter
import VigilModel
import VigilServer
import VigilServices

/// What a server is told at its start, checked.
package struct Settings: Sendable {
    package let configuration: LoadedConfiguration
    package let data: String
    package let isProduction: Bool
    /// Whether the tables are in the data folder.
    package var isEmbedded: Bool { configuration.required("stores.relational") == "sqlite" }
    let listener: VigilServer.Listener
    let limits: ServerLimits
    let proxies: TrustedProxies
    let people: IdentitySettings
    let ingest: IngestSettings
    let mapTiles: String?
    /// Where letters go; `nil`: into the data folder.
    let mail: SMTPSettings?

    /// - Throws: ``ConfigurationFault`` for values that do not go together.
    package init(_ configuration: LoadedConfiguration) throws {
        self.configuration = configuration
        data = configuration.required("data")
        isProduction = configuration.text("environment") == "production"
        let host = configuration.required("server.host")
        let port = configuration.integer("server.port")
        switch (configuration.text("server.tls.certificate"), configuration.text("server.tls.key")) {
        case (let certificate?, let key?):
            listener = .tls(host: host, port: port, certificateFile: certificate, keyFile: key)
        case (nil, nil): listener = .tcp(host: host, port: port)
        case (_?, nil): throw Self.missing("server.tls.key", "set, because server.tls.certificate is")
        case (nil, _?): throw Self.missing("server.tls.certificate", "set, because server.tls.key is")
        }
        var limits = ServerLimits()
        limits.connections = configuration.integer("server.limits.connections")
        limits.requests = configuration.integer("server.limits.requests")
        limits.anonymousRequestsPerSecond = configuration.integer("server.rate.anonymous")
        limits.principalRequestsPerSecond = configuration.integer("server.rate.principal")
        limits.tenantRequestsPerSecond = configuration.integer("server.rate.tenant")
        self.limits = limits
        var people = IdentitySettings()
        people.pinDigits = configuration.integer("pin.digits")
        people.publicAddress = try Self.address(configuration)
        mapTiles = try Self.tiles(configuration)
        self.people = people
        var ingest = IngestSettings()
        ingest.tenantReadingsPerSecond = configuration.integer("server.rate.readings")
        ingest.bytesInFlightMax = configuration.integer("server.limits.readings_megabytes") << 20
        self.ingest = ingest
        mail = try Self.mail(configuration)
        do {
            proxies = try TrustedProxies(configuration.list("server.trusted_proxies"))
        } catch {
            throw ConfigurationFault(
                key: "server.trusted_proxies",
                value: configuration.list("server.trusted_proxies").joined(separator: ","),
                allowed: "addresses or networks such as 10.0.0.0/8",
                source: configuration.entries["server.trusted_proxies"]?.source ?? "default")
        }
    }

    /// Where people reach the server: what is configured, else where it listens on this machine.
    package var publicAddress: String {
        if let address = people.publicAddress { return address }
        let scheme = configuration.text("server.tls.certificate") == nil ? "http" : "https"
        return ServedAddress.text(
            scheme, configuration.required("server.host"), configuration.integer("server.port"))
    }

    /// Where people reach the server, without a slash at the end.
    private static func address(_ configuration: LoadedConfiguration) throws -> String? {
        guard let text = configuration.text("server.public_url") else { return nil }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), !text.contains(where: \.isWhitespace) else {
            throw ConfigurationFault(
                key: "server.public_url", value: text, allowed: "an address with https:// or http://",
                source: configuration.entries["server.public_url"]?.source ?? "default")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// Where map tiles come from: an address that has the three places of a tile.
    private static func tiles(_ configuration: LoadedConfiguration) throws -> String? {
        guard let text = configuration.text("pages.map_tiles") else { return nil }
        let isAddress = text.hasPrefix("https://") || text.hasPrefix("http://")
        guard isAddress, ["{z}", "{x}", "{y}"].allSatisfy(text.contains),
            !text.contains(where: { $0.isWhitespace || $0 == ";" || $0 == "," || $0 == "'" })
        else {
            throw ConfigurationFault(
                key: "pages.map_tiles", value: text, allowed: "an address with {z}, {x} and {y}",
                source: configuration.entries["pages.map_tiles"]?.source ?? "default")
        }
        return text
    }

    private static func mail(_ configuration: LoadedConfiguration) throws -> SMTPSettings? {
        guard let host = configuration.text("mail.smtp.host") else { return nil }
        guard let from = configuration.text("mail.from") else {
            throw missing("mail.from", "set, because mail.smtp.host is")
        }
        let security = SMTPSettings.Security(rawValue: configuration.required("mail.smtp.security")) ?? .starttls
        var mail = SMTPSettings(
            host: host, port: configuration.integer("mail.smtp.port"), security: security, from: from)
        (mail.user, mail.password) = (configuration.text("mail.smtp.user"), configuration.text("mail.smtp.password"))
        mail.trustFile = configuration.text("mail.smtp.trust")
        if mail.user != nil, mail.password == nil {
            throw missing("mail.smtp.password", "set, because mail.smtp.user is")
        }
        if mail.password != nil, security == .none, !["localhost", "127.0.0.1", "::1"].contains(host) {
            throw ConfigurationFault(
                key: "mail.smtp.security", value: "none",
                allowed: "starttls or tls: a password is not sent in the clear to another machine",
                source: configuration.entries["mail.smtp.security"]?.source ?? "default")
        }
        return mail
    }

    private static func missing(_ key: String, _ allowed: String) -> ConfigurationFault {
        ConfigurationFault(key: key, value: nil, allowed: allowed, source: "default")
    }
}
