# The facts of a layout (script.nix's `devices`), as the machine's `facts` prints them.
def size: if test("^100%") then "rest" elif endswith("T") then "\(rtrimstr("T") | tonumber * 1048576)M"
  elif endswith("G") then "\(rtrimstr("G") | tonumber * 1024)M" else . end;
def partition($disk): "disk-\($disk)-\(.key)";
. as $all
| [.disk | to_entries[] | .key as $disk | .value.content.partitions | to_entries[] | . + { label: partition($disk), $disk }]
  as $partitions
# What lies on each device, by the device's name.
| [($partitions[] | { on: "partition:\(.label)", content: .value.content }),
   (($partitions[], (.mdadm // {} | to_entries[])) | .value.content // {} | select(.type == "luks")
     | { on: "crypt:\(.name)", content: .content }),
   (.mdadm // {} | to_entries[] | { on: "md:\(.key)", content: .value.content }),
   (.lvm_vg // {} | to_entries[] | .key as $vg | .value.lvs | to_entries[]
     | { on: "lv:\($vg)/\(.key)", content: .value.content })] as $contents
| "status 0",
  (.disk | keys[] | "disk \(.) gpt"),
  ($partitions[] | "partition \(.disk) \(.label) \(.value.type // "8300") \(.value.size | size)"),
  (.mdadm // {} | to_entries[] | .key as $array
    | "array md:\($array) raid\(.value.level) \(.value.metadata) "
      + ([$partitions[] | select(.value.content.name == $array) | "partition:\(.label)"] | sort | join(" "))),
  ($contents[] | select(.content.type == "lvm_pv") | "member \(.content.vg) \(.on)"),
  (.lvm_vg // {} | to_entries[] | .key as $vg | .value.lvs | to_entries[]
    | "volume \($vg) \(.key) \(.value.size | size)"),
  ($contents[] | select(.content.type == "luks")
    | "mapping \(.content.name) LUKS2 \(.on) "
      + (if .content.settings.allowDiscards then "discards" else "none" end)),
  ($contents[] | select(.content.type == "filesystem")
    | "mount \(.content.mountpoint) \(.content.format) \(.on) \(.content.format)",
      (select(.content.mountpoint == "/boot") | "boot 700 FAT32")),
  ($contents[] | select(.content.type == "swap") | "swap \(.on)"),
  ($partitions[] | select(.key == "ESP") | "firmware reads partition:\(.label)")
