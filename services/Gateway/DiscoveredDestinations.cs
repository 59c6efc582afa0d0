using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.ServiceDiscovery;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace OrderInventory.Gateway;

/// <summary>Resolves a name like http://orders to the addresses of all its replicas for YARP, and notifies YARP when they change.</summary>
internal sealed class DiscoveredDestinations(ServiceEndpointResolver resolver) : IDestinationResolver
{
    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var resolved = new Dictionary<string, DestinationConfig>();
        var changes = new List<IChangeToken>();
        foreach (var (name, destination) in destinations)
        {
            var scheme = new Uri(destination.Address).Scheme;
            var source = await resolver.GetEndpointsAsync(destination.Address, cancellationToken);
            changes.Add(source.ChangeToken);
            foreach (var endpoint in source.Endpoints)
            {
                // An endpoint from configuration is a whole URI; one from another source is host:port.
                var address = endpoint.ToString()!;
                address = address.Contains("://", StringComparison.Ordinal) ? address : $"{scheme}://{address}";
                resolved.TryAdd($"{name} at {address}", destination with { Address = address });
            }
        }

        return new(resolved, new CompositeChangeToken(changes));
    }
}
