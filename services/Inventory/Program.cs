using OrderInventory.Contracts;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;
using OrderInventory.Inventory;
using OrderInventory.Inventory.Clients;
using OrderInventory.Inventory.Data;
using OrderInventory.Inventory.Features;
using OrderInventory.Inventory.Http;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Http;

var builder = WebApplication.CreateBuilder(args);

builder.AddServiceDefaults();
builder.AddServiceDatabase<InventoryDb>("inventorydb");
builder.AddReadCache("redis");
builder.AddMessaging("inventory", messaging => messaging
    .Uses(ReservationDecided.Topic)
    .UsesInBulk(InventoryUpdated.Topic)
    .Uses(StockCheckReplied.Topic)
    // Orders writes to this topic, but the service that starts first creates it.
    .Uses(StockCheckRequested.Topic)
    .Consumes<OrderCreated, OrderEventsHandler>(
        OrderCreated.Topic, OrderCreated.Type, EventsJson.Default.OrderCreated, validate: order => OrderEventsHandler.Validate(order.Lines))
    .Consumes<OrderUpdated, OrderEventsHandler>(
        OrderUpdated.Topic, OrderUpdated.Type, EventsJson.Default.OrderUpdated, OrderUpdatedHandler.Concerns, OrderUpdatedHandler.Validate)
    .Consumes<ProductUpdated, ProductUpdatedHandler>(ProductUpdated.Topic, ProductUpdated.Type, EventsJson.Default.ProductUpdated));
builder.Services.AddSingleton(builder.Configuration.GetSection("Inventory").Get<InventoryOptions>() ?? new());
builder.Services.AddSingleton<StockLoader>();
builder.Services.AddSingleton<StockChange>();
builder.Services.AddHostedService<ExpireHolds>();
builder.Services.AddHostedService<HoldCleaner>();
builder.Services.AddHostedService<CloseLedger>();
builder.Services.AddHostedService<AnswerStockChecks>();
builder.AddIdempotencyCleaner();
builder.AddStockGauges();
// A report waits for Orders this long, and then continues without it.
builder.Services.AddServiceClient<OrdersClient>("orders", attempt: TimeSpan.FromSeconds(3), total: TimeSpan.FromSeconds(5));
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, InventoryJson.Default));
builder.Services.AddOpenApi();

var app = builder.Build();

app.MapServiceDefaults();
app.MapOpenApi().AllowAnonymous();
app.MapInventory();
app.MapDeadLetters("inventory");
app.MapOutbox("inventory");

app.RunUntilStopped();
