using OrderInventory.Contracts.Products;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Products;
using OrderInventory.Products.Clients;
using OrderInventory.Products.Data;
using OrderInventory.Products.Exchange;
using OrderInventory.Products.Features;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddServiceDatabase<ProductsDb>("productsdb");
builder.AddReadCache("redis");
builder.AddMessaging("products", messaging => messaging.Uses(ProductUpdated.Topic));
builder.AddIdempotencyCleaner();
// Short timeouts: a person waits for the answer, and can be answered 503.
builder.Services.AddServiceClient<OrdersClient>("orders", attempt: TimeSpan.FromSeconds(1), total: TimeSpan.FromSeconds(3));
builder.Services.AddSingleton<ProductCache>();
builder.Services.AddScoped<ImportBatch>();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ProductsJson.Default));
builder.Services.AddOpenApi();

var app = builder.Build();
app.MapServiceDefaults();
app.MapOpenApi().AllowAnonymous();
app.MapDeadLetters("products");
app.MapOutbox("products");
app.MapProducts();
app.RunUntilStopped();
