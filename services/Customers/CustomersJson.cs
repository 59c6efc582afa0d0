using System.Text.Json.Serialization;
using OrderInventory.Customers.Domain;
using OrderInventory.Customers.Features;
using OrderInventory.Customers.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Customers;

/// <summary>Reads and writes the JSON of requests and responses, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateCustomer.Request), TypeInfoPropertyName = "CreateRequest")]
[JsonSerializable(typeof(UpdateCustomer.Request), TypeInfoPropertyName = "UpdateRequest")]
[JsonSerializable(typeof(PatchCustomer.Document), TypeInfoPropertyName = "PatchDocument")]
[JsonSerializable(typeof(AddAddress.Request), TypeInfoPropertyName = "AddAddressRequest")]
[JsonSerializable(typeof(UpdateAddress.Request), TypeInfoPropertyName = "UpdateAddressRequest")]
[JsonSerializable(typeof(IReadOnlyList<Address>))]
[JsonSerializable(typeof(Page<AddressResponse>))]
[JsonSerializable(typeof(CustomerResponse))]
[JsonSerializable(typeof(Page<CustomerResponse>))]
internal sealed partial class CustomersJson : JsonSerializerContext;
