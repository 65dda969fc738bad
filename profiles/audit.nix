# Who changed what decides over the cluster: keys and cluster membership, accounts, the clock, the kernel. In
# /var/log/audit for ausearch(8), and in the journal, so that it is forwarded with the rest.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  changes = key: kind: path: "-a always,exit -F ${kind}=${path} -F perm=wa -F key=${key}";
  calls =
    key: arch: names:
    "-a always,exit -F arch=${arch} ${lib.concatMapStringsSep " " (name: "-S ${name}") names} -F key=${key}";
  unrecorded = kind: "-a always,exclude -F msgtype=${kind}";
in
{
  security.audit = {
    enable = lib.mkDefault true;
    # Beyond these, records are lost and not the machine: processes never wait for the daemon.
    backlogLimit = lib.mkDefault 8192;
    rateLimit = lib.mkDefault 1000;
    # The first rule that fits is the one that counts. Raft's and the database's own files are not watched: they change all
    # the time. Services log who joins and leaves.
    rules = [
      "--backlog_wait_time 0"
    ]
    # What systemd starts is in the journal. chronyd disciplines the clock, and systemd loads BPF, all the time.
    ++ map unrecorded [
      "SERVICE_START"
      "SERVICE_STOP"
      "TIME_ADJNTPVAL"
      "BPF"
    ]
    ++ [
      (changes "secrets" "dir" "/etc/nixos/secrets")
      (changes "cluster" "dir" "/etc/nixos")
    ]
    ++ map (changes "identity" "path") [
      "/etc/passwd"
      "/etc/shadow"
      "/etc/group"
      "/etc/sudoers"
    ]
    ++ [ (changes "identity" "dir" "/etc/ssh") ]
    ++ lib.concatMap (arch: [
      (calls "time" arch [
        "settimeofday"
        "clock_settime"
      ])
      (calls "modules" arch [
        "init_module"
        "finit_module"
        "delete_module"
      ])
    ]) ([ "b64" ] ++ lib.optional (pkgs.stdenv.hostPlatform.system == "x86_64-linux") "b32");
  };

  security.auditd.enable = lib.mkDefault true;

  # NixOS 24.11 starts auditd without a configuration, and its log then grows until the disk is full. Later releases have
  # options for it.
  environment.etc = lib.mkIf (config.security.auditd.enable && !(options.security.auditd ? settings)) {
    "audit/auditd.conf".text = ''
      log_file = /var/log/audit/audit.log
      log_group = root
      log_format = ENRICHED
      flush = INCREMENTAL_ASYNC
      freq = 50
      max_log_file = 50
      num_logs = 10
      max_log_file_action = ROTATE
      space_left = 1024
      space_left_action = SYSLOG
      admin_space_left = 256
      admin_space_left_action = SUSPEND
      disk_full_action = SUSPEND
      disk_error_action = SUSPEND
    '';
  };

  # systemd brings this socket; NixOS 24.11 does not enable it.
  systemd.sockets.systemd-journald-audit.wantedBy = lib.mkIf config.security.audit.enable [
    "systemd-journald.service"
    "sockets.target"
  ];
}
