import Diagnosis

/// A line of a table, with the columns that it needs, and the same as JSON.
protocol TableRow {
    var json: JSONObject { get }
    var neededColumns: OptionalColumns { get }
    static func header(_ columns: OptionalColumns) -> String
    func line(_ columns: OptionalColumns) -> String
}

/// The columns that a table has only if a row has something to say there: where a report goes, and which program it is
/// about.
struct OptionalColumns: Hashable {
    /// Whether a report goes elsewhere than to the destination `main`.
    var hasDestination = false
    var hasService = false
    var hasVersion = false

    func union(_ other: OptionalColumns) -> OptionalColumns {
        OptionalColumns(
            hasDestination: hasDestination || other.hasDestination, hasService: hasService || other.hasService,
            hasVersion: hasVersion || other.hasVersion)
    }

    /// The columns' texts, each in its width and cut where it is longer, and what separates them from the next column.
    func text(destination: String, service: String, version: String) -> String {
        (hasDestination ? Self.cell(destination, Self.destinationWidth) : "")
            + (hasService ? Self.cell(service, Self.serviceWidth) : "")
            + (hasVersion ? Self.cell(version, Self.versionWidth) : "")
    }

    private static func cell(_ text: String, _ width: Int) -> String {
        ReportTable.pad(ReportTable.cut(text, width), width) + "  "
    }

    static let destinationWidth = 12
    static let serviceWidth = 16
    static let versionWidth = 12
}

/// A table that is printed while its rows come: there may be a million.
///
/// The first rows are held back until the columns are known. If a later row needs another column, the header is printed
/// again with that column. So no row leaves out what it has to say.
struct StreamedTable<Row: TableRow> {
    private let print: (String) -> Void
    private var columns = OptionalColumns()
    private var held: [Row] = []
    private var isHolding = true

    /// More than a person sees at once.
    private static var heldCount: Int { 200 }

    init(print: @escaping (String) -> Void) {
        self.print = print
    }

    mutating func add(_ row: Row) {
        guard isHolding else { return show(row) }
        held.append(row)
        if held.count >= Self.heldCount { showHeld() }
    }

    /// Prints the rows that are still held back.
    /// - Returns: whether there was any row.
    mutating func finish() -> Bool {
        if isHolding, !held.isEmpty { showHeld() }
        return !isHolding
    }

    private mutating func showHeld() {
        isHolding = false
        columns = held.reduce(columns) { $0.union($1.neededColumns) }
        print(Row.header(columns))
        for row in held { print(row.line(columns)) }
        held = []
    }

    private mutating func show(_ row: Row) {
        let needed = columns.union(row.neededColumns)
        if needed != columns {
            columns = needed
            print(Row.header(columns))
        }
        print(row.line(columns))
    }
}
