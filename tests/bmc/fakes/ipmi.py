#!/usr/bin/env python3
"""A BMC with IPMI 2.0 whose boot flags are those of the specification, 60 seconds and all: pyghmi's BMC.

Usage: ipmi.py ADDRESS USER PASSWORD-FILE STATE-DIR

WINDOW   how many seconds boot flags hold without parameter 3
FLAGS    lasting: the flags are made to last; forgotten: they are not stored; legacy: the EFI bit is lost
DENIED   anything: the user may not switch the machine
BUSY     how many commands of power are answered by "node busy" first
"""
import json, os, signal, subprocess, sys, time
import pyghmi.ipmi.bmc as bmc


def ordered(name, default=""):
    return os.environ.get(name, default)


FLAGS = ordered("FLAGS")


class Bmc(bmc.Bmc):
    def __init__(self, address, user, password, state):
        self.state, self.child = state, None
        self.flags, self.valid_until, self.is_kept = [0] * 5, 0.0, False
        self.window, self.busy = float(ordered("WINDOW", "60")), int(ordered("BUSY", "0"))
        super().__init__({user: password}, port=623, address=address)

    def log(self, **what):
        with open(f"{self.state}/log", "a") as file:
            file.write(json.dumps({"time": time.time(), **what}) + "\n")

    def is_active(self):
        return self.get_power_state() == "on"

    def get_power_state(self):
        return "on" if self.child and self.child.poll() is None else "off"

    def current(self):
        is_valid = self.flags[0] & 0x80 and (self.is_kept or time.time() < self.valid_until)
        return list(self.flags) if is_valid else [self.flags[0] & 0x7F] + self.flags[1:]

    def power_on(self):
        if ordered("DENIED"):
            return 0xD4
        if self.busy > 0:
            self.busy -= 1
            return 0xC0
        if self.is_active():
            return None
        flags = self.current()
        is_pxe = bool(flags[0] & 0x80) and (flags[1] >> 2) & 15 == 1
        if flags[0] & 0x80 and not flags[0] & 0x40:
            self.flags[0] &= 0x7F
        self.log(event="on", boots="network" if is_pxe else "disk", mode="UEFI" if flags[0] & 0x20 else "Legacy")
        self.child = subprocess.Popen(["sleep", "900"], start_new_session=True)

    def power_off(self):
        if self.is_active():
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.log(event="off")

    def set_system_boot_options(self, request, session):
        data = list(bytearray(request["data"]))
        number, data = data[0] & 0x7F, data[1:]
        self.log(event="options", number=number, data=data)
        if number == 5 and FLAGS != "forgotten":
            self.flags, self.valid_until = data[:5], time.time() + self.window
            if FLAGS == "lasting" and self.flags[0] & 0x80:
                self.flags[0] |= 0x40
            if FLAGS == "legacy":
                self.flags[0] &= ~0x20
        elif number == 3:
            self.is_kept = bool(data[0] & 8)
        session.send_ipmi_response()

    def get_system_boot_options(self, request, session):
        number = bytearray(request["data"])[0] & 0x7F
        if number == 5:
            return session.send_ipmi_response(data=[1, 5, *self.current()])
        session.send_ipmi_response(code=0x80)


address, user, password, state = sys.argv[1:]
Bmc(address, user, open(password).read().strip(), state)
Bmc.listen()
