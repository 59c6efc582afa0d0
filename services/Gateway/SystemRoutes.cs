using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Identity;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace OrderInventory.Gateway;

/// <summary>Which path goes to which service. Addresses are names; service discovery knows where they are.</summary>
internal static class SystemRoutes
{
    public static readonly string[] Services = ["orders", "inventory", "products", "customers", "notifications"];

    public static readonly RouteConfig[] Routes =
    [
        Api("orders", "/api/orders/{**rest}"),
        // A customer's orders are Orders' own; the rest of a customer is not.
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

    /// <summary>The operators' pages. Whoever is not signed in is sent to the provider by the console itself, to come back by the gateway's name.</summary>
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
        // Header bytes that are not ASCII are somebody's, such as a cookie of another application on the host, and pass as they are.
        HttpClient = new HttpClientConfig { RequestHeaderEncoding = "latin1", ResponseHeaderEncoding = "latin1" },
        HttpRequest = new ForwarderRequestConfig
        {
            // "Prefer: wait=30" is answered after up to 30 s, and not without reason later.
            ActivityTimeout = TimeSpan.FromSeconds(60),
            // Without TLS there is no HTTP/2 to negotiate.
            Version = new(1, 1),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        },
    };

    /// <summary>Open to all: whoever comes here has no token yet. It is asked by the gateway's name, which the addresses in its answers have.</summary>
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

    /// <summary>The service's own document. It names the host that it was asked by as its server, so it is asked by the gateway's.</summary>
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
