import Diagnosis

/// A line of a table, with the columns that it needs, and the same as JSON.
protocol TableRow {
    var json: JSONObject { get }
    var programColumns: ProgramColumns { get }
    static func header(_ columns: ProgramColumns) -> String
    func line(_ columns: ProgramColumns) -> String
}

/// The columns that say which program a row is about. A table has them only if a row has something to say there.
struct ProgramColumns: Hashable {
    var hasService = false
    var hasVersion = false

    func union(_ other: ProgramColumns) -> ProgramColumns {
        ProgramColumns(hasService: hasService || other.hasService, hasVersion: hasVersion || other.hasVersion)
    }

    /// The columns' texts, each in its width and cut where it is longer, and what separates them from the next column.
    func text(service: String, version: String) -> String {
        (hasService ? ReportTable.pad(ReportTable.cut(service, Self.serviceWidth), Self.serviceWidth) + "  " : "")
            + (hasVersion ? ReportTable.pad(ReportTable.cut(version, Self.versionWidth), Self.versionWidth) + "  " : "")
    }

    static let serviceWidth = 16
    static let versionWidth = 12
}

/// A table that is printed while its rows come: there may be a million.
///
/// The first rows are held back until the columns are known. If a later row needs another column, the header is printed
/// again with that column. So no row leaves out what it has to say.
struct StreamedTable<Row: TableRow> {
    private let print: (String) -> Void
    private var columns = ProgramColumns()
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
        columns = held.reduce(columns) { $0.union($1.programColumns) }
        print(Row.header(columns))
        for row in held { print(row.line(columns)) }
        held = []
    }

    private mutating func show(_ row: Row) {
        let needed = columns.union(row.programColumns)
        if needed != columns {
            columns = needed
            print(Row.header(columns))
        }
        print(row.line(columns))
    }
}
