# The Raft store that every member of a cluster runs.
import ../service.nix {
  name = "chainfire";
  description = "PlasmaCloud Raft store";
  ports = {
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
  };
  # Where memory runs out, a tenant's machine goes before a voter.
  serviceConfig.OOMScoreAdjust = -600;
}
