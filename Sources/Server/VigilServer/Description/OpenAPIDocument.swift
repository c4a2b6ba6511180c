import HTTPTypes
package import VigilInterface
package import VigilModel

/// The description of the API, OpenAPI 3.1, made from the declarations.
package struct OpenAPIDocument {
    package let json: JSONValue
    /// Types that could not be described; a test demands that there are none.
    package let failures: [String]

    package init(_ endpoints: [Endpoint], version: String) {
        var catalogue = SchemaCatalogue()
        let problem = catalogue.schema(of: Problem.self)
        var paths: [String: [String: JSONValue]] = [:]
        for endpoint in endpoints where endpoint.form == .api && endpoint.access != .local {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] = Self.operation(
                endpoint, &catalogue)
        }
        let answers: [String: JSONValue] = [
            "Problem": .object([
                "description": .string("What went wrong (RFC 9457)."),
                "content": .object(["application/problem+json": .object(["schema": problem])]),
            ])
        ]
        let schemes: [String: JSONValue] = [
            "token": .object([
                "type": .string("http"), "scheme": .string("bearer"),
                "description": .string("An API token or an access token."),
            ]),
            "session": .object([
                "type": .string("apiKey"), "in": .string("cookie"),
                "name": .string(SessionCookie.name(isSecure: false)),
            ]),
        ]
        failures = catalogue.failures
        json = .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("Vigil"), "version": .string(version),
                "description": .string("The data platform for monitored places."),
                "license": .object(["name": .string("Apache-2.0"), "identifier": .string("Apache-2.0")]),
            ]),
            "paths": .object(paths.mapValues { .object($0) }),
            "components": .object([
                "schemas": .object(catalogue.named), "responses": .object(answers),
                "securitySchemes": .object(schemes),
            ]),
            "security": .array([.object(["token": .array([])]), .object(["session": .array([])])]),
        ])
    }

    private static func operation(_ endpoint: Endpoint, _ catalogue: inout SchemaCatalogue) -> JSONValue {
        var success: [String: JSONValue] = ["description": .string(endpoint.summary)]
        if let answer = endpoint.answer {
            success["content"] = .object(["application/json": .object(["schema": catalogue.schema(of: answer)])])
        }
        var operation: [String: JSONValue] = [
            "summary": .string(endpoint.summary), "tags": .array([.string(endpoint.tag)]),
            "operationId": .string(identifier(of: endpoint)),
            "responses": .object([
                String(endpoint.successStatus.code): .object(success),
                "default": .object(["$ref": .string("#/components/responses/Problem")]),
            ]),
        ]
        let parameters =
            pathParameters(endpoint) + endpoint.parameters.map(queryParameter) + headerParameters(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = endpoint.body {
            let content = ["application/json": JSONValue.object(["schema": catalogue.schema(of: body)])]
            operation["requestBody"] = .object(["required": .bool(true), "content": .object(content)])
        } else if let type = endpoint.bodyMediaType {
            let schema = endpoint.bodySchema ?? .emptyObject
            operation["requestBody"] = .object([
                "required": .bool(true), "content": .object([type: .object(["schema": schema])]),
            ])
        }
        switch endpoint.access {
        case .open: operation["security"] = .array([])
        case .permission(let permission): operation["x-permission"] = .string(permission.description)
        case .signedIn, .local: break
        }
        return .object(operation)
    }

    /// The operation's name: `get_api_devices_device_readings`.
    private static func identifier(of endpoint: Endpoint) -> String {
        let words = endpoint.path.split { !$0.isLetter && !$0.isNumber }
        return ([endpoint.method.rawValue.lowercased()] + words.map(String.init)).joined(separator: "_")
    }

    private static func pathParameters(_ endpoint: Endpoint) -> [JSONValue] {
        endpoint.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            .object([
                "name": .string(String(segment.dropFirst().dropLast())), "in": .string("path"),
                "required": .bool(true), "schema": .object(["type": .string("string")]),
            ])
        }
    }

    private static func headerParameters(_ endpoint: Endpoint) -> [JSONValue] {
        switch endpoint.method {
        case .patch where endpoint.answer is any Versioned.Type:
            [headerParameter("If-Match", "The ETag of what is changed: 409 when somebody changed it since.")]
        case .post where endpoint.access != .open:
            [headerParameter("Idempotency-Key", "A request sent again with its key is done once; kept for a day.")]
        default: []
        }
    }

    private static func headerParameter(_ name: String, _ meaning: String) -> JSONValue {
        .object([
            "name": .string(name), "in": .string("header"), "required": .bool(false),
            "description": .string(meaning), "schema": .object(["type": .string("string")]),
        ])
    }

    private static func queryParameter(_ parameter: Endpoint.Parameter) -> JSONValue {
        .object([
            "name": .string(parameter.name), "in": .string("query"), "required": .bool(parameter.isRequired),
            "description": .string(parameter.meaning), "schema": .object(["type": .string("string")]),
        ])
    }
}
