using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Localization;
using OrderInventory.Console;
using OrderInventory.Console.Access;
using OrderInventory.Console.Api;
using OrderInventory.Console.Components;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Identity;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults(checksTokens: false);
builder.AddSignIn();
// A build that is not published serves its own files and Blazor's script too; by default it does so only in development.
builder.WebHost.UseStaticWebAssets();
// By default, development has an endpoint for files that change at run time.
builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
builder.Services.AddLocalization(localization => localization.ResourcesPath = "Resources");
builder.Services.AddHttpClient(ShopApi.Client, http => (http.BaseAddress, http.Timeout) = (new("http://gateway"), Timeout.InfiniteTimeSpan));
builder.Services.AddScoped<ShopApi>();
builder.Services.AddScoped<ChangeStream>();
builder.Services.AddScoped<Reader>();
builder.Services.AddCascadingAuthenticationState();
builder.Services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
{
    // A client that reconnects within this time finds its page unchanged; each page that waits costs memory.
    circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
    circuits.DisconnectedCircuitMaxRetained = 100;
});

var app = builder.Build();
// Only the gateway calls this service. It forwards the scheme of the request, which the return address after signing in needs.
app.UseForwardedHeaders(new() { ForwardedHeaders = ForwardedHeaders.XForwardedProto, KnownIPNetworks = { new(System.Net.IPAddress.Any, 0), new(System.Net.IPAddress.IPv6Any, 0) } });
app.UsePathBase("/console");
app.Use(OwnOrigin.CheckAsync);
app.MapServiceDefaults();
app.UseRequestLocalization(localization => localization
    .SetDefaultCulture("en").AddSupportedCultures("en").AddSupportedUICultures(Languages.All)
    .AddInitialRequestCultureProvider(new CustomRequestCultureProvider(Languages.OfAsync)));
app.UseAntiforgery();
app.MapStaticAssets().AllowAnonymous();
app.MapSignOut();
app.MapExports();
// The gateway sets the policy for frames. Compression would keep buffers for each open page.
app.MapRazorComponents<App>()
    .AddInteractiveServerRenderMode(pages => (pages.ContentSecurityFrameAncestorsPolicy, pages.DisableWebSocketCompression) = (null, true)).For(Policies.UseConsole);
// Any other address: a page that says so. Only for GET, so that other methods are still refused with those that an address has.
app.MapGet("/{*path}", () => new RazorComponentResult<App> { StatusCode = StatusCodes.Status404NotFound }).For(Policies.UseConsole);
app.RunUntilStopped();
