# The Raft store that every member of a cluster runs.
import ../service.nix {
  name = "chainfire";
  description = "PlasmaCloud Raft store";
  ports = {
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
  };
  # When memory runs out, the kernel kills a tenant's machine rather than a voter.
  serviceConfig.OOMScoreAdjust = -600;
}
