import Testing

@testable import CaptureRun

@Suite("What runs the program")
struct SurroundingsTests {
    @Test(
        "the unit is found in the kernel's list of control groups, of which each line has its end",
        arguments: [
            "0::/system.slice/shop.service\n",
            "9:name=systemd:/\n4:memory:/system.slice/shop.service\n0::/\n",
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service\n",
        ])
    func unit(cgroup: String) {
        #expect(Surroundings({ _ in nil }, cgroup: cgroup).unit == "shop.service")
    }

    @Test(
        "so is the container",
        arguments: ["0::/docker/ID\n", "0::/system.slice/docker-ID.scope\n", "4:memory:/docker/ID\n0::/\n"])
    func container(cgroup: String) {
        let id = String(repeating: "0a", count: 32)
        let cgroup = cgroup.replacing("ID", with: id)
        let surroundings = Surroundings({ $0 == "container" ? "docker" : nil }, cgroup: cgroup)
        #expect(surroundings.container == id && surroundings.unit == nil)
    }

    @Test("without a unit or a container there is none; the variable of the container stands for its id")
    func neither() {
        #expect(Surroundings({ _ in nil }, cgroup: "0::/user.slice/user-0.slice/session-1.scope\n") == Surroundings())
        #expect(Surroundings({ $0 == "container" ? "lxc" : nil }, cgroup: nil).container == "lxc")
    }
}
