# What systemd keeps a program from, in the terms of systemd.exec(5). `systemd-analyze security` judges the outcome.
{
  # It sees no other process, and of the machine what it needs to serve the network.
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

  # It runs as root, since it manages the machine. No mount namespace: what it mounts, network namespaces too, is for
  # others. Nothing that pods would inherit and miss. It has no business with the clock, the audit log, the policy of
  # security modules, or with stopping the machine but through systemd.
  privileged = {
    CapabilityBoundingSet = "~CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_BLOCK_SUSPEND CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_SYS_BOOT CAP_SYS_PACCT CAP_SYS_TIME CAP_WAKE_ALARM";
    UMask = "0077";
  };

  # For one of these whose charges run in units of their own, or in none: what it gives up itself, nobody else misses.
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
