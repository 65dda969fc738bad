# What the units that ask a service over TLS have in common: its own credentials, a user of their own, and a sandbox from
# which they reach the network alone.
{ lib, pkgs }:
let
  keys = [
    "ca_path"
    "cert_path"
    "key_path"
  ];
  tls = service: service.settings.tls or { };
in
{
  # Whether a service names the credentials that it takes to ask it.
  canBeAsked = service: lib.all (key: tls service ? ${key}) keys;

  needs = name: ''
    services.${name}.settings.tls must name ca_path, cert_path and key_path: the service is asked over TLS, verified on
    both sides.
  '';

  # The line that runs one of the programs.
  run =
    program: arguments:
    "${pkgs.runtimeShell} ${./programs}/${program} ${lib.concatStringsSep " " arguments}";

  path = [
    pkgs.curl
    pkgs.jq
  ];

  # Only root reads the key, so systemd passes the files on. Keys neither enter the store nor show among the arguments.
  serviceConfig = service: (import ../sandbox.nix).confined // {
    Type = "oneshot";
    LoadCredential = map (key: "${key}:${(tls service).${key}}") keys;
    DynamicUser = true;
    # Time is read from /proc/uptime.
    ProcSubset = "all";
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_UNIX"
    ];
  };
}
