import CaptureRun
import Testing

@Suite("Options of a run")
struct RunOptionsTests {
    @Test("crashes and files of runtimes are told of by default")
    func occasions() {
        #expect(RunOptions().occasions == [.crash, .file])
    }
}
