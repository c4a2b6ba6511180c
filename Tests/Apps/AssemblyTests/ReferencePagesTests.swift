import Foundation
import HTTPTypes
import Testing
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

@testable import Assembly

/// Pages of the reference that say what the program says of itself.
///
/// `VIGIL_WRITE_PAGES=1 swift test --filter ReferencePages` writes them anew.
@Suite struct ReferencePagesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func hold(_ name: String, to text: String) throws {
        let place = Self.root.appending(path: "Docs/Reference/\(name)")
        if ProcessInfo.processInfo.environment["VIGIL_WRITE_PAGES"] != nil {
            try Data(text.utf8).write(to: place)
        }
        let written = (try? String(contentsOf: place, encoding: .utf8)) ?? ""
        #expect(written == text, "Docs/Reference/\(name) is old: see ReferencePagesTests for how it is made")
    }

    @Test func `the page of the configuration has every key`() throws {
        var text = """
            # Configuration

            Flags win over the environment, the environment over `vigil.yaml` in the data folder (or `--config FILE`), the file
            over the defaults. A wrong value stops the start and is named with what is allowed. In the file the dots are levels:

            ```yaml
            server:
              port: 8443
            stores:
              relational: postgresql
            ```

            | Key | Environment | Meaning | Allowed | Default |
            |---|---|---|---|---|

            """
        for key in ConfigurationKey.all {
            let standard = key.isSecret ? "(secret)" : key.standard.map { "`\($0)`" } ?? ""
            text +=
                "| `\(key.name)` | `\(key.environmentName)` | \(key.meaning) | \(key.allowed) | \(standard) |\n"
        }
        text += """

            ## Variables of other systems

            Understood as they are there, below any `VIGIL_…` variable and above the file: `USE_SQLITE`, `DATABASE_ENGINE`,
            `DATABASE_URL`, `POSTGRES_HOST`, `POSTGRES_PORT`, `POSTGRES_DB`, `POSTGRES_USER`, `POSTGRES_PASSWORD`, `DB_PASSWORD`,
            `INFLUX_URL`, `INFLUX_TOKEN`, `INFLUX_ORG`, `INFLUX_BUCKET`, `REDIS_URL`, `NEO4J_URI`, `NEO4J_USER`,
            `NEO4J_PASSWORD`, `MONGODB_URI`, `MILVUS_HOST`, `MILVUS_PORT`. A store whose adapter the program does not have stops
            the start by name.

            """
        try hold("configuration.md", to: text)
    }

    @Test func `the page of the permissions has every role`() throws {
        var text = """
            # Roles and permissions

            A permission is `resource:action`; `*` stands for all of either. A role is a list of permissions, never a level:
            nobody gives more than they hold. A tenant makes roles of its own with `POST /api/roles`; these come with Vigil.


            """
        for role in BuiltInRole.allCases {
            text += "## \(role.title) (`\(role.rawValue)`)\n\n\(role.summary)\n\n"
            text += role.permissions.map { "`\($0)`" }.joined(separator: " ") + "\n\n"
        }
        text += """
            ## What a member sees

            `PUT /api/users/{user}/assignments` narrows a member to devices, locations (with all below them) and sites. It holds
            at once, in lists, readings, questions, alerts, live messages and search, for open sessions and tokens too.

            """
        try hold("permissions.md", to: text)
    }

    @Test func `the page of the API has every route`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vigil-pages-\(UUID().uuidString)")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let settings = try Settings(
            try await LoadedConfiguration.load(flags: ["data": folder], environment: [:], file: nil))
        let stores = try await StoreFactory.open(try DataFolder(folder), settings, clock: SystemClock())
        let core = Core(stores: stores, clock: SystemClock(), key: .random())
        var text = """
            # HTTP API

            The whole description is at `/openapi.json`. Errors are problem+json (RFC 9457) with a stable `code`; lists take
            `cursor` and `limit`; what has a version answers an `ETag` and takes `If-Match`; `POST` takes `Idempotency-Key`.

            | Route | Takes | Does |
            |---|---|---|

            """
        let shown = core.api().filter { $0.access != .local }
            .sorted { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }
        for endpoint in shown {
            let access =
                switch endpoint.access {
                case .open: "nothing"
                case .signedIn: "a sign-in"
                case .permission(let permission): "`\(permission)`"
                case .local: ""
                }
            text += "| `\(endpoint.method.rawValue) \(endpoint.path)` | \(access) | \(endpoint.summary) |\n"
        }
        await core.close()
        try hold("api.md", to: text)
    }
}
