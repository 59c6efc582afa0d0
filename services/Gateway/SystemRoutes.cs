using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Identity;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace OrderInventory.Gateway;

/// <summary>Which path goes to which service. Addresses are service names, resolved by service discovery.</summary>
internal static class SystemRoutes
{
    public static readonly string[] Services = ["orders", "inventory", "products", "customers", "notifications"];

    public static readonly RouteConfig[] Routes =
    [
        Api("orders", "/api/orders/{**rest}"),
        // Orders serves a customer's orders; Customers serves the rest.
        Api("orders", "/api/customers/{id}/orders/{**rest}"),
        Import("inventory"),
        Api("inventory", "/api/inventory/{**rest}"),
        Import("products"),
        Api("products", "/api/products/{**rest}"),
        Api("customers", "/api/customers/{**rest}"),
        Api("notifications", "/api/notifications/{**rest}"),
        Api("notifications", "/api/stream"),
        .. Services.Select(OpenApi),
    ];

    /// <summary>The development issuer's own pages and endpoints, where there is one.</summary>
    public static readonly RouteConfig[] IssuerRoutes =
    [
        Page("identity", "/.well-known/{**rest}"),
        Page("identity", "/connect/{**rest}"),
        Page("identity", "/account/{**rest}"),
    ];

    /// <summary>
    /// The operators' pages. The console itself redirects people who are not signed in to the provider, which sends them back to the gateway.
    /// </summary>
    public static readonly RouteConfig ConsoleRoute = Page("console", "/console/{**rest}");

    public static readonly ClusterConfig ConsoleCluster = Cluster("console");

    public static readonly ClusterConfig IssuerCluster = Cluster("identity");

    public static readonly ClusterConfig[] Clusters =
    [
        .. Services.Select(Cluster),
    ];

    private const string OpenApiPrefix = "openapi-";

    public static bool IsOpenApi(RouteConfig route) => route.RouteId.StartsWith(OpenApiPrefix, StringComparison.Ordinal);

    private static ClusterConfig Cluster(string service) => new()
    {
        ClusterId = service,
        Destinations = new Dictionary<string, DestinationConfig> { [service] = new() { Address = $"http://{service}" } },
        // Non-ASCII header bytes may be legitimate, such as a cookie of another application on the host, and pass unchanged.
        HttpClient = new HttpClientConfig { RequestHeaderEncoding = "latin1", ResponseHeaderEncoding = "latin1" },
        HttpRequest = new ForwarderRequestConfig
        {
            // A response to "Prefer: wait=30" may take up to 30 s; a longer wait means a fault.
            ActivityTimeout = TimeSpan.FromSeconds(60),
            // Without TLS there is no HTTP/2 to negotiate.
            Version = new(1, 1),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        },
    };

    /// <summary>
    /// Open to all, because callers have no token yet. Forwards the original host, so that addresses in the responses have the gateway's name.
    /// </summary>
    private static RouteConfig Page(string service, string path) => new()
    {
        RouteId = path,
        ClusterId = service,
        AuthorizationPolicy = "anonymous",
        Match = new() { Path = path },
        Transforms = [new Dictionary<string, string> { ["RequestHeaderOriginalHost"] = "true" }],
    };

    private static RouteConfig Api(string service, string path) => new()
    {
        RouteId = path,
        ClusterId = service,
        AuthorizationPolicy = Policies.ThroughTheGateway.Name,
        Match = new() { Path = path },
    };

    private static RouteConfig Import(string service) => Api(service, $"/api/{service}/import") with { MaxRequestBodySize = ServiceDefaultsExtensions.MaxImportBodySize };

    /// <summary>The service's own document. It names the host of the request as its server, so the original host is forwarded.</summary>
    private static RouteConfig OpenApi(string service) => new()
    {
        RouteId = OpenApiPrefix + service,
        ClusterId = service,
        AuthorizationPolicy = "anonymous",
        Match = new() { Path = $"/openapi/{service}.json", Methods = ["GET"] },
        Transforms =
        [
            new Dictionary<string, string> { ["PathSet"] = "/openapi/v1.json" },
            new Dictionary<string, string> { ["RequestHeaderOriginalHost"] = "true" },
        ],
    };
}
