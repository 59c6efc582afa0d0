using System.Text.Json.Serialization;
using OrderInventory.Products.Clients;
using OrderInventory.Products.Exchange;
using OrderInventory.Products.Features;
using OrderInventory.Products.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Products;

/// <summary>JSON of requests and responses, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateProduct.Request), TypeInfoPropertyName = "CreateRequest")]
[JsonSerializable(typeof(UpdateProduct.Request), TypeInfoPropertyName = "UpdateRequest")]
[JsonSerializable(typeof(PatchProduct.Document), TypeInfoPropertyName = "PatchDocument")]
[JsonSerializable(typeof(ProductResponse))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(ProductRow))]
[JsonSerializable(typeof(Page<ProductResponse>))]
[JsonSerializable(typeof(OrdersClient.OpenOrders))]
internal sealed partial class ProductsJson : JsonSerializerContext;
