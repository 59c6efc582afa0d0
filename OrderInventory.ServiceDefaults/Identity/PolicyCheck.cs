using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OrderInventory.ServiceDefaults.Identity;

/// <summary>Prevents the start of a service that has an endpoint without a policy.</summary>
internal sealed class PolicyCheck : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        next(app);
        var open = app.ApplicationServices.GetRequiredService<EndpointDataSource>().Endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null && Policies.Of(endpoint) is null)
            .Select(endpoint => endpoint.DisplayName)
            .ToList();
        if (open.Count > 0)
        {
            throw new InvalidOperationException($"These endpoints have no policy (see {nameof(Policies)}), so the service does not start: {string.Join("; ", open)}");
        }
    };
}
