# The ports of a service in NixOS' firewall. Nodes that plasmagen renders have NixOS' firewall off: their firewall.nft
# follows from the inventory.
{
  lib,
  name,
  cfg,
  listening,
  # Whether NixOS' firewall is on.
  enabled,
}:
let
  inherit (lib) mkOption types;
  interfaces = types.listOf (types.strMatching "[^ /]{1,15}");
  ports = protocol: all: map (listener: listener.port) (lib.filter (listener: listener.protocol == protocol) all);
  allowed = all: {
    allowedTCPPorts = ports "tcp" all;
    allowedUDPPorts = ports "udp" all;
  };
  api = lib.filter (listener: listener.option == "port") listening;
  names = lib.optionals (lib.isList cfg.openFirewall) cfg.openFirewall ++ cfg.clusterInterfaces;
  through = names: all: lib.genAttrs names (_: allowed all);
in
{
  options = {
    openFirewall = mkOption {
      type = types.either types.bool interfaces;
      default = false;
      example = [ "eth2" ];
      description = "Whether NixOS' firewall accepts clients at `port`: true for every interface, or a list of interfaces.";
    };

    clusterInterfaces = mkOption {
      type = interfaces;
      default = [ ];
      example = [ "eth1" ];
      description = ''
        The interfaces in the cluster network. On these interfaces, NixOS' firewall accepts other nodes at all ports of the
        service. The ports of Raft and gossip are open on no other interface.
      '';
    };
  };

  config = {
    warnings = lib.optional
      ((cfg.openFirewall == true || names != [ ]) && !enabled)
      "services.${name}: openFirewall and clusterInterfaces open NixOS' firewall, but networking.firewall.enable is false; a node of plasmagen has its firewall.nft, which follows from the inventory.";
    networking.firewall = lib.mkMerge [
      (lib.mkIf (cfg.openFirewall == true) (allowed api))
      {
        interfaces = lib.mkMerge [
          (lib.mkIf (lib.isList cfg.openFirewall) (through cfg.openFirewall api))
          (through cfg.clusterInterfaces listening)
        ];
      }
    ];
  };
}
