#!/usr/bin/env python3
"""A BMC with Redfish, whose manners the environment orders.

Usage: redfish.py ADDRESS USER PASSWORD-FILE CERTIFICATE KEY STATE-DIR

ETAG     none, weak, required or moving: how a PATCH is to be guarded
RESETS   the resets that it knows, with commas
ONCE     ignored: a boot override for one boot stays; lasting: it is made to last
SETTINGS yes or only: the settings for the next start, and whether they alone can be written
SLOW     seconds before each answer
BUSY     how many requests get 503 first
POST     seconds of self-test after power-on, in which nothing can be written
SERIAL, SKU, CHASSIS   numbers
LOST     how many resets are obeyed without an answer
SYSTEMS  several: another system stands beside this one
BODY     huge, broken or elsewhere: what the root is answered with
"""
import base64, hmac, http.server, json, os, secrets, signal, ssl, subprocess, sys, time

address, user, password, certificate, key, state = sys.argv[1:]
password = open(password).read().strip()
sessions = {}
SESSIONS = "/redfish/v1/SessionService/Sessions"
SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"
BUSY, TRY = "Base.1.8.ServiceTemporarilyUnavailable", "try again"


def ordered(name, default=""):
    return os.environ.get(name, default)


ETAG, SETTINGS, ONCE = ordered("ETAG", "weak"), ordered("SETTINGS"), ordered("ONCE")
RESETS = ordered("RESETS", "On,ForceOff,GracefulShutdown,ForceRestart").split(",")
boot = {f"BootSourceOverride{name}": value for name, value in
        [("Enabled", "Disabled"), ("Target", "None"), ("Mode", "UEFI")]}
machine = {"child": None, "since": 0.0, "version": 1, "busy": int(ordered("BUSY", "0")), "lost": int(ordered("LOST", "0"))}


def log(**what):
    with open(f"{state}/log", "a") as file:
        file.write(json.dumps(what) + "\n")


def is_on():
    return machine["child"] is not None and machine["child"].poll() is None


def start():
    enabled, target = boot["BootSourceOverrideEnabled"], boot["BootSourceOverrideTarget"]
    log(event="on", boots="network" if target == "Pxe" and enabled != "Disabled" else "disk",
        mode=boot["BootSourceOverrideMode"])
    if enabled == "Once" and ONCE != "ignored":
        boot.update(BootSourceOverrideEnabled="Disabled", BootSourceOverrideTarget="None")
    machine.update(child=subprocess.Popen(["sleep", "900"], start_new_session=True), since=time.time())


def stop():
    os.killpg(machine["child"].pid, signal.SIGKILL)
    machine["child"].wait()
    log(event="off")


def etag():
    version = machine["version"]
    return {"none": None, "weak": f'W/"{version}"', "required": f'"{version}"', "moving": f'"{secrets.token_hex(4)}"'}[ETAG]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=None, headers={}):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(code)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def error(self, code, message_id, text):
        info = [{"MessageId": message_id, "Message": text}]
        self.answer(code, {"error": {"code": "Base.1.8.GeneralError", "message": text, "@Message.ExtendedInfo": info}})

    def is_known(self):
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        is_basic = hmac.compare_digest(self.headers.get("Authorization", ""), wanted)
        return is_basic or self.headers.get("X-Auth-Token") in sessions

    def login(self, body):
        if (body.get("UserName"), body.get("Password")) != (user, password):
            return self.error(401, "Base.1.8.InsufficientPrivilege", "wrong user or password")
        token = secrets.token_hex(16)
        sessions[token] = f"{SESSIONS}/{len(sessions) + 1}"
        self.answer(201, {"Id": "1"}, {"X-Auth-Token": token, "Location": sessions[token]})

    def logout(self, path):
        for token in [token for token, place in sessions.items() if place == path]:
            del sessions[token]
        self.answer(204)

    def handle_any(self):
        time.sleep(float(ordered("SLOW", "0")))
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path, guard = self.path.rstrip("/"), self.headers.get("If-Match")
        shown = {name: value for name, value in body.items() if name != "Password"}
        log(method=self.command, path=path, body=shown, if_match=guard, login="Authorization" in self.headers)
        if machine["busy"] > 0:
            machine["busy"] -= 1
            return self.error(503, BUSY, TRY)
        if path == "/redfish/v1":
            return self.root()
        if (self.command, path) == ("POST", SESSIONS):
            return self.login(body)
        if not self.is_known():
            return self.error(401, "Base.1.8.NoValidSession", "no valid session")
        if self.command == "DELETE":
            return self.logout(path)
        if path == "/redfish/v1/Systems":
            paths = [SYSTEM + "0", SYSTEM] if ordered("SYSTEMS") else [SYSTEM]
            return self.answer(200, {"Members": [{"@odata.id": path} for path in paths]})
        if path == SYSTEM + "0":
            return self.answer(200, {"SerialNumber": "OTHER", "PowerState": "On"})
        if path == CHASSIS:
            return self.answer(200, {"SerialNumber": ordered("CHASSIS")})
        if path in (SYSTEM, SYSTEM + "/Settings"):
            return self.system(path) if self.command == "GET" else self.patch(path, body, guard)
        if path == SYSTEM + "/Actions/ComputerSystem.Reset":
            return self.reset(body.get("ResetType"))
        self.error(404, "Base.1.8.ResourceMissingAtURI", path)

    def root(self):
        match ordered("BODY"):
            case "huge":
                self.send_response(200)
                self.send_header("Content-Length", str(1 << 30))
                self.end_headers()
                while True:
                    self.wfile.write(b" " * 65536)
            case "broken":
                return self.answer(200, [1, {"Systems": {"@odata.id": "https://192.0.2.1/redfish/v1/Systems"}}])
            case "elsewhere":
                return self.answer(308, {}, {"Location": "https://192.0.2.1/redfish/v1"})
        links = {"Sessions": {"@odata.id": SESSIONS}}
        self.answer(200, {"RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}, "Links": links})

    def system(self, path):
        reset = {"target": SYSTEM + "/Actions/ComputerSystem.Reset", "ResetType@Redfish.AllowableValues": RESETS}
        body = {"@odata.id": path, "Id": "1", "SerialNumber": ordered("SERIAL", "CN7475139H0023"), "SKU": ordered("SKU"),
                "PowerState": "On" if is_on() else "Off", "Actions": {"#ComputerSystem.Reset": reset},
                "Boot": {**boot, "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd"]},
                "Links": {"Chassis": [{"@odata.id": CHASSIS}]}}
        if SETTINGS:
            body["@Redfish.Settings"] = {"SettingsObject": {"@odata.id": SYSTEM + "/Settings"}}
        tag = etag()
        self.answer(200, {**body, **({"@odata.etag": tag} if tag else {})}, {"ETag": tag} if tag else {})

    def patch(self, path, body, guard):
        if SETTINGS == "only" and path == SYSTEM:
            return self.error(405, "Base.1.8.PropertyNotWritable", "read-only")
        if ETAG in ("required", "moving") and not guard:
            return self.error(428, "Base.1.8.PreconditionRequired", "If-Match is missing")
        # A weak tag never matches (RFC 9110 section 13.1.1).
        is_stale = ETAG == "moving" or guard not in ((etag() or "").removeprefix("W/"), "*")
        if guard and is_stale:
            return self.error(412, "Base.1.8.PreconditionFailed", "ETag")
        if is_on() and time.time() - machine["since"] < float(ordered("POST", "0")):
            return self.error(400, "iLO.2.24.UnableToModifyDuringSystemPOST", "in POST")
        boot.update({name: value for name, value in body.get("Boot", {}).items() if name in boot})
        if ONCE == "lasting" and boot["BootSourceOverrideEnabled"] == "Once":
            boot["BootSourceOverrideEnabled"] = "Continuous"
        machine["version"] += 1
        self.answer(204)

    def reset(self, kind):
        down = kind in ("ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle")
        if kind not in RESETS:
            return self.error(400, "Base.1.8.ActionParameterNotSupported", f"{kind} is not supported")
        if down != is_on():
            return self.error(409, "Base.1.8.ActionParameterValueConflict", "already in that state")
        if down:
            stop()
        if kind in ("On", "ForceRestart", "PowerCycle"):
            start()
        if machine["lost"] > 0:
            machine["lost"] -= 1
            self.close_connection = True
            return
        self.answer(204)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


server = http.server.ThreadingHTTPServer((address, 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
