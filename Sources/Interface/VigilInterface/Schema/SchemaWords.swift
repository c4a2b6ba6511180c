import VigilModel
import VigilServices

/// What members of bodies mean, for the API's description: `Type.member`, or a member's name wherever it stands.
enum SchemaWords {
    static func meaning(of member: String, in type: String) -> String? {
        meanings["\(type).\(member)"] ?? meanings[member]
    }

    /// The texts that a member may have, where its type is only a text.
    static func choices(of member: String, in type: String) -> [String]? { choices["\(type).\(member)"] }

    private static let handlers = ReadingHandler.allCases.map(\.rawValue) + ["contact"]

    private static let choices: [String: [String]] = [
        "DeviceDraft.handler": handlers, "DeviceClaim.handler": handlers, "DeviceChange.handler": handlers,
        "ProfileDraft.handler": handlers,
        "ProfileChange.handler": handlers,
        "RuleForm.condition": ["above", "below", "between", "outside", "state", "missing"],
    ]

    private static let meanings: [String: String] = [
        // Everywhere
        "name": "What people call it.",
        "code": "A short name, unique in the tenant; addresses take it for the identifier.",
        "description": "What it is for, in a sentence.", "note": "What to remember of it; it goes into the journal.",
        "details": "Anything else that is to be kept with it: an object.", "isActive": "false: switched off.",
        "timeZone": "A name of the IANA database, such as Europe/Berlin.",
        "unit": "The unit of the values: degC, bar, kWh.",
        "expires": "RFC 3339; forever when absent.", "limit": "How many at most.",
        "email": "An e-mail address.", "username": "The name to sign in with.", "password": "At least 8 characters.",
        "pin": "Four digits, or as many as the installation says; only for enrolled panels.",
        "token": "The secret of the link, as it was sent.", "firstName": "The first name.",
        "lastName": "The last name.", "phone": "A telephone number.", "locale": "A language, such as de or pt-BR.",
        "department": "Where they work.", "roles": "Codes of roles: built-in ones, or the tenant's own.",
        "seesOnlyAssigned": "true: only what is assigned to them.",
        "permissions": "resource:action, with * for any.", "site": "A site, by identifier or code.",
        "location": "A location, by identifier or code.", "profile": "A profile, by identifier or code.",
        "devices": "Devices, by identifier or code.", "geometry": "GeoJSON, WGS 84: longitude first.",
        "kind": "What it is, in one word.", "position": "Where it stands among its neighbours, from 0.",
        "parent": "The location around it, by identifier or code.",
        "latitude": "Degrees, −90 to 90.", "longitude": "Degrees, −180 to 180.", "altitude": "Metres above the sea.",
        "accuracy": "Metres.", "address": "A postal address, for people.", "metric": "The metric's name.",
        "metadata": "Anything that describes it: an object; its history is kept.",
        "connection": "How it is reached: an object without secrets.",
        "secrets": "Secrets of the connection by name; encrypted, never given out; null takes one away.",
        "externalIDs": "What other systems call it.", "owner": "The identifier of the user whose it is.",
        "status": "active; inactive: readings are refused; error; maintenance: recorded without alerts.",
        "handler": "How its readings are checked and normalised; the profile's when absent.",
        "expectedIntervalSeconds": "How often it reports; silence is judged by it.",
        "units": "The unit of each metric.",
        "ranges": "The valid range of each metric; what is outside is kept and marked.",
        "rules": "Rules that devices of this profile begin with.", "min": "The least valid value.",
        "max": "The greatest valid value.", "tenant": "A tenant, by code.", "current": "The current password.",
        "panel": "The secret of an enrolled panel.",
        // Rules
        "RuleForm.enabled": "false: it is not judged.", "RuleForm.condition": "What is watched for.",
        "RuleForm.threshold": "The limit, for above and below.",
        "RuleForm.low": "The lower bound, for between and outside.",
        "RuleForm.high": "The upper bound, for between and outside.",
        "RuleForm.states": "The states that alert, for state.",
        "RuleForm.missingSeconds": "For missing; two and a half expected intervals when absent, at least five minutes.",
        "RuleForm.holdSeconds": "For how long it must hold before it alerts.",
        "RuleForm.cooldownSeconds": "For how long after an alert none is raised.",
        "RuleForm.severity": "How bad it is; medium when absent.",
        "RuleForm.type": "What kind of alert; environmental when absent.", "RuleForm.subtype": "A word of your own.",
        "RuleForm.title": "The alert's title, with placeholders such as {device}.",
        "RuleForm.message": "The alert's text, with placeholders.",
        "RuleForm.dedupKey": "Alerts of one key are one alert.",
        "RuleForm.schedule": "When the rule is judged; always when absent.",
        "RuleForm.scope": "Which devices; all when absent.",
        "RuleForm.autoResolve": "true: the alert closes when it is over.",
        "RuleForm.latched": "true: the alert stays active until somebody resolves it.",
        "RuleSchedule.days": "Days of the week.", "RuleSchedule.from": "A time of day, HH:MM.",
        "RuleSchedule.to": "A time of day, HH:MM.", "Scope.labels": "Labels that a series must have.",
        // Others
        "ExternalID.scheme": "Which system: imei, serial, …", "ExternalID.value": "The identifier there.",
        "FieldDecision.state": "What becomes of the field.",
        "SignInBody.kind": "browser, or api for tokens in the answer.",
        "PasswordBody.new": "The new password.", "EnrolBody.code": "The code that the page of panels shows.",
        "RefreshBody.refreshToken": "The refresh token; it works once.", "MethodDraft.method": "How they sign in.",
        "UserDraft.authMethod": "How they sign in; password when absent.",
        "UserPatch.notificationsEnabled": "false: nothing is sent to them.",
        "UserPatch.preferences": "What pages remember for them: an object.",
        "PanelDraft.allowsPIN": "Whether PINs work on it.",
        "PanelDraft.allowsUsername": "Whether a name alone works on it.",
        "PositionDraft.validFrom": "Since when it is there; now when absent.",
        "PlaceQuestion.within": "GeoJSON: what lies in it.", "PlaceQuestion.containing": "GeoJSON: what it lies in.",
        "PlaceQuestion.intersecting": "GeoJSON: what touches it.", "PlaceQuestion.near": "GeoJSON: what is near it.",
        "PlaceQuestion.metres": "How near.", "PlaceQuestion.kinds": "site, location, device.",
        "RetentionPresetOrder.preset": "The name of a preset.", "RetentionRuleForm.subject": "What ages.",
        "RetentionRuleForm.hot": "The age up to which it stays where it is: 12h, 7d, 5y, forever.",
        "RetentionRuleForm.warm": "The age up to which it is in the warm folder.",
        "RetentionRuleForm.archive": "The age up to which it is in the archive.",
        "RetentionRuleForm.rollups": "How long averages and extremes stay after the readings: by minute, hour and day.",
        "RollupAges.minute": "The age up to which rollups by the minute stay: 30d, 1y, forever.",
        "RollupAges.hour": "The age up to which rollups by the hour stay.",
        "RollupAges.day": "The age up to which rollups by the day stay.",
        "RetentionRuleForm.legalHold": "true: nothing that this selects goes.",
        "RetentionRuleForm.reason": "Why, for those who read it later.",
        "AssignmentsView.clients": "Client tenants, by code.",
        "AssignmentsView.locations": "Locations with all below them.",
        "AssignmentsView.sites": "Sites with all that is in them.",
        "AssignmentsView.seesAll": "true: nothing is held back.",
    ]
}
