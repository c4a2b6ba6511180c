import ArgumentParser
import Assembly
import Foundation

/// What commands have in common that act in one tenant.
struct TenantOptions: ParsableArguments {
    @OptionGroup var local: LocalOptions
    @Option(help: "The tenant's code; may be left out when there is only one.")
    var tenant: String?

    var json: Bool { local.json }

    /// Sends a request in the tenant, and ends the command when it is refused.
    func call(
        _ method: String, _ path: String, query: [(String, String)] = [], body: [String: Any]? = nil
    ) async throws -> LocalAPI.Answer {
        try await Say.ended {
            let api = try await local.api()
            let content = try body.map { Array(try JSONSerialization.data(withJSONObject: $0)) } ?? []
            let tenant = try await api.tenant(tenant)
            return try await api.call(method, path, query: query + [("tenant", tenant)], body: content).checked()
        }
    }
}

extension TenantOptions {
    /// Posts to an operation of the command line that takes the tenant in its body.
    func callLocally(_ path: String, _ body: [String: Any]) async throws -> LocalAPI.Answer {
        try await Say.ended {
            let api = try await local.api()
            let body = body.merging(["tenant": try await api.tenant(tenant)]) { $1 }
            return try await api.call("POST", path, body: Array(try JSONSerialization.data(withJSONObject: body)))
                .checked()
        }
    }

    func settings() async throws -> Settings { try await local.settings() }
}

extension LocalAPI {
    /// The tenant that was named, else the only one.
    func tenant(_ named: String?) async throws -> String {
        if let named { return named }
        let answer = try await call("GET", "/api/local/tenants").checked()
        let codes = (answer.members["items"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
        guard codes.count == 1, let only = codes.first else {
            throw TenantUnclear(codes: codes)
        }
        return only
    }
}

/// No tenant was named, and there is not exactly one.
struct TenantUnclear: Error, CustomStringConvertible {
    let codes: [String]

    var description: String {
        codes.isEmpty
            ? "There is no tenant yet: make one with its first user by vigil user create."
            : "Name the tenant with --tenant: there are \(codes.joined(separator: ", "))."
    }
}

extension LocalAPI.Answer {
    /// The entries of a page.
    var items: [[String: Any]] { members["items"] as? [[String: Any]] ?? [] }
}

/// A path segment of something that a person typed.
func segment(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
}

/// The name of something that another thing belongs to.
func name(_ reference: Any?) -> String? { (reference as? [String: Any])?["name"] as? String }
