"""Endpoints in one memory, one virtual clock: datagrams are lost, doubled, overtake each other."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from random import Random

from sip.effects import Deliver, Effect, Send
from sip.endpoint import Endpoint
from sip.flow import Flow

Address = tuple[str, int]


class Node:
    """An endpoint with an address; `tu` answers its events with effects."""

    def __init__(self, network: "Network", endpoint: Endpoint, address: Address) -> None:
        self.network = network
        self.endpoint = endpoint
        self.address = address
        self.events: list[object] = []
        self.tu: Callable[[object], Iterable[Effect]] = lambda event: ()

    def execute(self, effects: Iterable[Effect]) -> None:
        queue = list(effects)
        while queue:
            effect = queue.pop(0)
            match effect:
                case Send(data, flow):
                    self.network.send(self.address, flow, data)
                case Deliver(event):
                    self.events.append(event)
                    queue += self.tu(event)


class Network:
    """`loss` and `doubling` are probabilities; delays are drawn from `delay_s`."""

    def __init__(
        self,
        seed: int,
        *,
        loss: float = 0.0,
        doubling: float = 0.0,
        delay_s: tuple[float, float] = (0.01, 0.05),
    ) -> None:
        self.now = 0.0
        self._random = Random(seed)
        self._loss = loss
        self._doubling = doubling
        self._delay_s = delay_s
        self._nodes: dict[Address, Node] = {}
        self._air: list[tuple[float, int, Address, Flow, bytes]] = []
        self._count = 0

    def add(self, endpoint: Endpoint, address: Address) -> Node:
        node = self._nodes[address] = Node(self, endpoint, address)
        return node

    def send(self, source: Address, flow: Flow, data: bytes) -> None:
        """A stream neither loses nor doubles; nothing here keeps order."""
        copies = 1
        if not flow.reliable:
            copies -= self._random.random() < self._loss
            copies += self._random.random() < self._doubling
        for _ in range(copies):
            self._count += 1
            arrival = Flow(flow.transport, flow.remote, source)
            at = self.now + self._random.uniform(*self._delay_s)
            heappush(self._air, (at, self._count, flow.remote, arrival, data))

    def run(self, until: float) -> None:
        """Let messages arrive and timers fire up to that time."""
        while True:
            times = [self._air[0][0]] if self._air else []
            times += [
                node.endpoint.deadline
                for node in self._nodes.values()
                if node.endpoint.deadline is not None
            ]
            if not times or min(times) > until:
                break
            self.now = max(self.now, min(times))
            self._step()
        self.now = until

    def _step(self) -> None:
        while self._air and self._air[0][0] <= self.now:
            _, _, remote, flow, data = heappop(self._air)
            node = self._nodes.get(remote)
            if node is not None:
                node.execute(node.endpoint.receive(data, flow, self.now))
        for node in self._nodes.values():
            node.execute(node.endpoint.tick(self.now))
