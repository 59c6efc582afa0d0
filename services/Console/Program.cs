using Microsoft.AspNetCore.Components.Authorization;
using OrderInventory.Console.Access;
using OrderInventory.Console.Api;
using OrderInventory.Console.Components;
using OrderInventory.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults(checksTokens: false);
builder.AddSignIn();
builder.Services.AddLocalization(localization => localization.ResourcesPath = "Resources");
builder.Services.AddHttpClient(ShopApi.Client, http => (http.BaseAddress, http.Timeout) = (new("http://gateway"), Timeout.InfiniteTimeSpan));
builder.Services.AddScoped<ShopApi>();
builder.Services.AddScoped<ChangeStream>();
builder.Services.AddScoped<Reader>();
builder.Services.AddCascadingAuthenticationState();
builder.Services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
{
    // A lost connection finds its page as it was for this long; each page that waits costs memory.
    circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
    circuits.DisconnectedCircuitMaxRetained = 100;
});

var app = builder.Build();
app.UsePathBase("/console");
app.UseRouting();
app.MapServiceDefaults();
app.UseRequestLocalization(localization => localization.SetDefaultCulture("en").AddSupportedCultures("en").AddSupportedUICultures("en", "de"));
app.UseAuthentication();
app.UseAuthorization();
app.UseAntiforgery();
app.MapStaticAssets().AllowAnonymous();
app.MapSignOut();
app.MapRazorComponents<App>().AddInteractiveServerRenderMode().RequireAuthorization();
app.Run();
