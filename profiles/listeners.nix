# The ports that programs of this machine listen on. Two programs on one port are refused: the second program would fail
# and restart again and again, and look from outside like a fault of the network.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  place = listener: "${toString listener.port}/${listener.protocol}";
  shared = lib.filterAttrs (_: all: lib.length all > 1) (lib.groupBy place config.plasmagen.listeners);
in
{
  options.plasmagen.listeners = mkOption {
    default = [ ];
    description = "Ports that programs listen on. Your module adds the ports of its service.";
    type = types.listOf (types.submodule {
      options = {
        owner = mkOption {
          type = types.str;
          example = "services.myapp.port";
          description = "The option that sets the port.";
        };
        port = mkOption {
          type = types.port;
          description = "The port number.";
        };
        protocol = mkOption {
          type = types.enum [
            "tcp"
            "udp"
          ];
          default = "tcp";
          description = "The transport protocol.";
        };
      };
    });
  };

  config = {
    plasmagen.listeners = lib.optionals config.services.openssh.enable (
      map (port: {
        owner = "services.openssh.ports";
        inherit port;
      }) config.services.openssh.ports
    );

    assertions = lib.mapAttrsToList (place: all: {
      assertion = false;
      message = ''
        ${lib.concatMapStringsSep " and " (listener: listener.owner) all} are both ${place}, which only one of them gets:
        the other program fails and restarts for ever. Give one of them another port; in the inventory: `[service.NAME]`.
      '';
    }) shared;
  };
}
