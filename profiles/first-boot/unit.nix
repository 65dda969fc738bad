# The common settings of units that ask a service over TLS: the service's credentials, a dynamic user, and a sandbox that
# allows only the network.
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
  # Whether a service's settings name the credentials that a request needs.
  canBeAsked = service: lib.all (key: tls service ? ${key}) keys;

  needs = name: ''
    services.${name}.settings.tls must name ca_path, cert_path and key_path: requests to the service use TLS, and both
    sides verify certificates.
  '';

  # The command that runs a program of ./programs.
  run =
    program: arguments:
    "${pkgs.runtimeShell} ${./programs}/${program} ${lib.concatStringsSep " " arguments}";

  path = [
    pkgs.curl
    pkgs.jq
  ];

  # Only root may read the key, so systemd passes the files to the unit. Keys appear neither in the Nix store nor among the
  # arguments.
  serviceConfig = service: (import ../sandbox.nix).confined // {
    Type = "oneshot";
    LoadCredential = map (key: "${key}:${(tls service).${key}}") keys;
    DynamicUser = true;
    # The programs read the time from /proc/uptime.
    ProcSubset = "all";
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_UNIX"
    ];
  };
}
