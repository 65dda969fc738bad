# Stands in for the flake that has the services' programs.
{
  outputs =
    _:
    let
      names = [
        "chainfire"
        "fiberlb"
        "flaredb"
        "flashdns"
        "iam"
        "k8shost"
        "plasmavmc"
        "prismnet"
      ];
      package = system: name: {
        inherit name;
        value = derivation {
          inherit name system;
          builder = "/bin/sh";
        };
      };
    in
    {
      packages = builtins.listToAttrs (
        map
          (system: {
            name = system;
            value = builtins.listToAttrs (map (package system) names);
          })
          [
            "x86_64-linux"
            "aarch64-linux"
          ]
      );
    };
}
