"""Plays a scenario of first boots: services of nodes, and programs that run on the nodes against them.

Usage: scenario.py DIR, in namespaces of network, mounts and user of its own. DIR has `scenario.json`, and for each node
`credentials/<node>/`; states are kept in `state/<node>-<service>/`. Prints what happened as JSON.
"""

import collections
import json
import os
import signal
import subprocess
import sys

from network import boot
from services import LOCK, Cluster, Service


class World:
    def __init__(self, directory, scenario):
        self.directory, self.scenario = directory, scenario
        self.iam = scenario.get("iam_initialized", False)
        self.requests = []
        self.strangers = []
        self.services = [Service(self, given) for given in scenario["services"]]
        for given in scenario.get("clusters", []):
            cluster = Cluster(given["members"], dict(given["members"]), given["leader"])
            for node in given["nodes"]:
                self.service(given["service"], node).cluster = cluster
            for node in given.get("told", []):
                self.service(given["service"], node).tell(cluster)
        # By node: the process that runs there, and the number of its requests so far; when it is killed.
        self.running, self.counts, self.kills = {}, collections.Counter(), {}

    def service(self, name, node):
        return next(own for own in self.services if (own.name, own.node) == (name, node))

    def is_killed(self, client, when):
        """Whether the program of `client` is killed with this request: it then is."""
        if client not in self.running:
            return False
        if when == "before":
            self.counts[client] += 1
        if self.kills.get(client) != {"request": self.counts[client], "when": when}:
            return False
        os.killpg(self.running[client].pid, signal.SIGKILL)
        return True

    def start(self, run, namespaces):
        """The program `run` of a node, in the node's namespace."""
        node, service = run["node"], run.get("service", "chainfire")
        state = os.path.join(self.directory, "state", f"{node}-{service}")
        os.makedirs(state, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": os.path.join(self.directory, "credentials", run.get("credentials", node)),
            "STATE_DIRECTORY": state,
            "TMPDIR": self.directory,
            # None of these may come between a node and its services.
            "https_proxy": "http://127.0.0.1:9",
            "HOME": self.directory,
        }
        with LOCK:
            self.counts[node], self.kills[node] = 0, run.get("kill")
            self.running[node] = subprocess.Popen(
                ["nsenter", f"--net=/proc/{os.getpid()}/fd/{namespaces[node]}", *run["command"]],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True,
            )
        return self.running[node]

    def play(self, namespaces):
        """The steps one after another, each of programs that run at once."""
        steps = []
        for step in self.scenario["steps"]:
            for changed in step.get("changes", []):
                own = self.service(changed["service"], changed["node"])
                own.given["answers"] = changed.get("answers", {})
                if changed.get("wiped"):
                    own.cluster = own.told = None
            started = [self.start(run, namespaces) for run in step["runs"]]
            said = [process.communicate(timeout=300)[0] for process in started]
            steps.append([{"code": own.returncode, "said": text} for own, text in zip(started, said)])
        return steps

    def clusters(self):
        """By service and node: the peers that its cluster was formed of, and its members."""
        found = {}
        for own in self.services:
            if own.cluster is not None:
                number = len({id(other.cluster) for other in self.services if other.name == own.name and other.cluster})
                found.setdefault(own.name, {"clusters": number, "nodes": {}})["nodes"][own.node] = {
                    "peers": own.cluster.peers,
                    "members": sorted(own.cluster.members),
                }
        return found


def main(directory):
    with open(os.path.join(directory, "scenario.json"), encoding="utf-8") as file:
        scenario = json.load(file)
    for source, target in scenario["mounts"]:
        subprocess.run(["mount", "--bind", source, target], check=True)
    world = World(directory, scenario)
    nodes = {run["node"] for step in scenario["steps"] for run in step["runs"]}
    namespaces = boot(sorted(nodes), scenario["addresses"], world.services, world.strangers)
    steps = world.play(namespaces)
    result = {"steps": steps, "requests": world.requests, "clusters": world.clusters(), "strangers": world.strangers}
    json.dump(result, sys.stdout)


main(sys.argv[1])
