using System.Net;

namespace OrderInventory.Notifications.Channels;

/// <summary>
/// Which addresses are public internet addresses. Subscribers choose where this service connects to; without this check they could make it
/// call internal services (server-side request forgery). The lists are IANA's special-purpose registries.
/// </summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] s_special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
            // Tunnels, documentation, benchmarks: inside the global unicast range, but not public hosts.
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork s_globalUnicast = IPNetwork.Parse("2000::/3");

    public static bool Contains(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return (plain.GetAddressBytes().Length == 4 || s_globalUnicast.Contains(plain)) && !s_special.Any(network => network.Contains(plain));
    }

    /// <summary>
    /// Whether a target is private as far as known without a DNS lookup: by its address, or by a name that always means this machine.
    /// </summary>
    public static bool IsKnownPrivate(Uri url) => IPAddress.TryParse(url.DnsSafeHost, out var address)
        ? !Contains(address)
        : url.DnsSafeHost.TrimEnd('.') is var name
            && (name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase));
}
