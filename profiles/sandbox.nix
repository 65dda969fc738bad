# Sandboxes of systemd.exec(5). `systemd-analyze security` rates them.
{
  # For a program that serves the network: it sees no other process, and little of the machine.
  confined = {
    CapabilityBoundingSet = "";
    DevicePolicy = "closed";
    LimitCORE = 0; # a core dump holds the private key
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    NoNewPrivileges = true;
    PrivateDevices = true;
    PrivateMounts = true;
    PrivateTmp = true;
    PrivateUsers = true;
    ProcSubset = "pid";
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    ProtectSystem = "strict";
    RemoveIPC = true;
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
      "AF_UNIX"
    ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [
      "@system-service"
      "~@privileged"
      "~@resources"
    ];
    UMask = "0077";
  };

  # For a program that manages the machine and so runs as root. There is no mount namespace, since other processes use
  # what the program mounts, network namespaces among it. There is no restriction that pods would inherit, except that the
  # program cannot change the clock, the audit log or the policy of security modules, and stops the machine only through
  # systemd.
  privileged = {
    CapabilityBoundingSet = "~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_BLOCK_SUSPEND CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_SYS_BOOT CAP_SYS_PACCT CAP_SYS_TIME CAP_WAKE_ALARM";
    UMask = "0077";
  };

  # In addition, for a privileged program whose workloads run in separate units or in none, so that they do not inherit
  # these restrictions.
  directing = {
    LimitCORE = 0;
    LockPersonality = true;
    NoNewPrivileges = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [
      "~@clock"
      "~@cpu-emulation"
      "~@debug"
      "~@obsolete"
      "~@reboot"
      "~@swap"
    ];
  };
}
