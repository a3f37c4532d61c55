import Diagnosis
import Testing

@Suite("Exceptions of Java")
struct JavaTests {
    @Test("the exception, its causes and the thread are read; suppressed exceptions are no causes")
    func exception() throws {
        let diagnosis = recognize(
            """
            08:00:01.114 [main] INFO  till - 3 feeds configured
            Exception in thread "worker-3" com.shop.till.LoadException: cannot load
            second line
            \tat com.shop.till.Till.load(Till.java:4)
            \tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
            \tat app//com.shop.till.Till$Runner.run(Unknown Source)
            Caused by: java.lang.NumberFormatException: For input string: "x12"
            \tat java.base/java.lang.Integer.parseInt(Integer.java:668)
            \t... 2 more
            \tSuppressed: java.lang.IllegalStateException: close failed
            \t\tat com.shop.till.Res.close(Till.java:2)
            Caused by: java.lang.Error

            """)
        #expect(diagnosis.format == "jvm-exception")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "java: com.shop.till.LoadException: cannot load in com.shop.till.Till.load at Till.java:4")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.message == "cannot load\nsecond line")
        #expect(crash.earlierCauses.map(\.type) == ["java.lang.NumberFormatException", "java.lang.Error"])
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "worker-3")
        #expect(thread.frames.map(\.isOwn) == [true, false, true])
        #expect(thread.frames.map(\.module) == [nil, "java.base", "app/"])
        #expect(thread.frames.last?.function == "com.shop.till.Till$Runner.run")
        #expect(thread.frames.last?.line == nil)
    }

    @Test("a program that Spring Boot could not start has ended")
    func springBoot() {
        let diagnosis = recognize(
            """
            2026-11-28 08:13:04.123 ERROR 12 --- [main] o.s.boot.SpringApplication               : Application run failed

            java.lang.IllegalStateException: no settings
            \tat org.springframework.boot.SpringApplication.run(SpringApplication.java:4)
            \tat com.shop.Till.main(Till.java:7)

            """)
        #expect(
            diagnosis.summary
                == "java: java.lang.IllegalStateException: no settings in com.shop.Till.main at Till.java:7")
    }

    @Test("a stack overflow of 1,024 frames keeps to the bounds of a crash")
    func stackOverflow() {
        let frames = String(repeating: "\tat com.shop.Till.f(Till.java:3)\n", count: 1_024)
        let diagnosis = recognize("Exception in thread \"main\" java.lang.StackOverflowError\n" + frames)
        #expect(diagnosis.summary == "java: java.lang.StackOverflowError in com.shop.Till.f at Till.java:3")
        #expect(diagnosis.crash?.crashedThread?.frames.count == Crash.Bounds.frameCount)
    }

    @Test(
        "a machine without memory ends without a stack",
        arguments: [
            "Terminating due to java.lang.OutOfMemoryError: Java heap space\n",
            "Aborting due to java.lang.OutOfMemoryError: Java heap space\n",
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\nbye\n",
        ])
    func outOfMemory(text: String) {
        #expect(recognize(text).summary == "java: java.lang.OutOfMemoryError: Java heap space")
        #expect(recognize(text).kind == .crash)
    }

    @Test("the machine may fail before the program starts, or while it shows an exception")
    func otherEnds() {
        #expect(
            recognize("Error occurred during initialization of VM\nCould not reserve enough space\n").summary
                == "java: Error occurred during initialization of VM: Could not reserve enough space")
        let handler = recognize(
            "\nException: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"main\"\n")
        #expect(handler.crash?.cause.type == "java.lang.OutOfMemoryError")
        #expect(handler.crash?.crashedThread?.name == "main")
    }

    @Test(
        "exceptions that were logged and text about exceptions are no crash",
        arguments: [
            "ERROR till - failed\njava.lang.RuntimeException: x\n\tat com.shop.Till.load(Till.java:4)\n",
            "Exception in thread \"main\" is what Java prints then.\nNothing else.\n",
            "Exception in thread \"main\" java.lang.NoClassDefFoundError: till\nmeans that the path is wrong.\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("where a framework wraps the exception, the stack is that of the cause in the program's own code")
    func stackOfCause() {
        func exception(in method: String) -> String {
            """
            Exception in thread "main" java.lang.IllegalStateException: Failed to execute
            \tat org.springframework.boot.SpringApplication.run(SpringApplication.java:342)
            \tSuppressed: java.io.IOException: closed
            \t\tat com.shop.Other.close(Other.java:3)
            Caused by: java.lang.RuntimeException: no till
            \tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
            Caused by: java.io.FileNotFoundException: till.db
            second line
            \tat com.shop.Till.\(method)(Till.java:12)
            \t... 3 more

            """
        }
        let diagnosis = recognize(exception(in: "open"))
        #expect(diagnosis.summary.hasSuffix("Failed to execute in com.shop.Till.open at Till.java:12"))
        #expect(diagnosis.crash?.crashedThread?.frames.count == 2)
        #expect(diagnosis.crash?.cause.type == "java.lang.IllegalStateException")
        #expect(diagnosis.signature != nil)
        #expect(diagnosis.signature != recognize(exception(in: "close")).signature)
    }
}
