using OrderInventory.Contracts;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Contracts.Products;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.Orders;
using OrderInventory.Orders.Answers;
using OrderInventory.Orders.Clients;
using OrderInventory.Orders.Data;
using OrderInventory.Orders.Features;
using OrderInventory.Orders.Pricing;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Caching;
using OrderInventory.ServiceDefaults.Data;

var builder = WebApplication.CreateBuilder(args);

builder.AddServiceDefaults();
builder.AddServiceDatabase<OrdersDb>("ordersdb");
builder.AddReadCache("redis");
builder.AddMessaging("orders", messaging => messaging
    .Uses(OrderCreated.Topic)
    .UsesInBulk(OrderUpdated.Topic)
    .Uses(StockCheckRequested.Topic)
    .Uses(StockCheckReplied.Topic)
    .Consumes<ReservationDecided, ReservationDecidedHandler>(ReservationDecided.Topic, ReservationDecided.Type, EventsJson.Default.ReservationDecided)
    .Consumes<ProductUpdated, ProductUpdatedHandler>(ProductUpdated.Topic, ProductUpdated.Type, EventsJson.Default.ProductUpdated)
    .Consumes<CustomerUpdated, CustomerUpdatedHandler>(CustomerUpdated.Topic, CustomerUpdated.Type, EventsJson.Default.CustomerUpdated));
builder.AddIdempotencyCleaner();
builder.AddOrdersClients();
builder.AddOrderGauges();
builder.Services.AddOptions<OrdersOptions>().BindConfiguration("Orders").ValidateOnStart();
builder.Services.AddSingleton<PlacementWriter>();
builder.Services.AddHostedService(services => services.GetRequiredService<PlacementWriter>());
builder.Services.AddSingleton<EarlierOrders>();
builder.Services.AddSingleton<Replays>();
builder.Services.AddSingleton<OrderWriter>();
builder.Services.AddSingleton<OrderReader>();
builder.Services.AddSingleton<OrderSearch>();
builder.Services.AddSingleton<OrderWaiters>();
builder.Services.AddSingleton<RecentOrders>();
builder.Services.AddHostedService<SweepWaitingOrders>();
builder.Services.AddSingleton<CopyMemory>();
builder.Services.AddSingleton<Catalogue>();
builder.Services.AddSingleton<OrderPricing>();
builder.Services.AddSingleton<EventBudget>();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, OrdersJson.Default));
builder.Services.AddOpenApi();

var app = builder.Build();

app.MapServiceDefaults();
app.MapOpenApi().AllowAnonymous();
app.MapOrders();
app.MapDeadLetters("orders");
app.MapOutbox("orders");

app.RunUntilStopped();
