//! WSDL 1.1, document/literal wrapped, with one inline schema: one request element per operation, arrays as repeated
//! elements, no xsd:any, no policy.

use super::reachable;
use crate::door::soap::namespace;
use crate::door::soap::write::escape;
use crate::method::{Method, Output, Service};
use crate::registry;
use crate::shape::{Family, Field, Shape, Type};
use std::fmt::Write as _;

/// The WSDL of a service in a version, at an address.
pub fn wsdl(service: Service, version: u16, address: &str) -> String {
    let methods: Vec<&'static Method> = registry::ALL
        .iter()
        .copied()
        .filter(|method| method.soap && method.service == service)
        .collect();
    let namespace = namespace::service(version);
    let name = service.name();
    let mut text = String::with_capacity(64 * 1024);
    let _ = write!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<wsdl:definitions name=\"{name}\" targetNamespace=\"{namespace}\" \
         xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:ns=\"{namespace}\">\n<wsdl:types>\n<xsd:schema \
         targetNamespace=\"{namespace}\" elementFormDefault=\"unqualified\" attributeFormDefault=\"unqualified\">\n"
    );
    common_types(&mut text);
    let inputs = methods.iter().map(|method| &method.input);
    let outputs = methods.iter().filter_map(|method| match method.output {
        Output::One(shape) | Output::Many(shape) => Some(shape),
        _ => None,
    });
    for shape in reachable(inputs.chain(outputs)) {
        complex_type(&mut text, shape);
    }
    for method in &methods {
        elements(&mut text, method);
    }
    text.push_str("</xsd:schema>\n</wsdl:types>\n");
    operations(&mut text, &methods, name, address);
    text.push_str("</wsdl:definitions>\n");
    text
}

fn common_types(text: &mut String) {
    text.push_str(
        "<xsd:complexType name=\"top\" abstract=\"true\"><xsd:sequence/></xsd:complexType>\n\
         <xsd:complexType name=\"state\" abstract=\"true\"><xsd:complexContent><xsd:extension base=\"ns:top\"><xsd:sequence/></xsd:extension></xsd:complexContent></xsd:complexType>\n\
         <xsd:complexType name=\"entity\" abstract=\"true\"><xsd:complexContent><xsd:extension base=\"ns:top\"><xsd:sequence>\
         <xsd:element name=\"internalId\" type=\"xsd:string\" minOccurs=\"0\"/><xsd:element name=\"externalId\" type=\"xsd:string\" minOccurs=\"0\"/>\
         <xsd:element name=\"createdDate\" type=\"xsd:dateTime\" minOccurs=\"0\"/><xsd:element name=\"updatedDate\" type=\"xsd:dateTime\" minOccurs=\"0\"/>\
         <xsd:element name=\"createdBy\" type=\"ns:user\" minOccurs=\"0\"/><xsd:element name=\"modifiedBy\" type=\"ns:user\" minOccurs=\"0\"/>\
         </xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>\n\
         <xsd:complexType name=\"attribute\"><xsd:complexContent><xsd:extension base=\"ns:top\"><xsd:sequence><xsd:element name=\"name\" type=\"xsd:string\" minOccurs=\"0\"/>\
         <xsd:element name=\"value\" type=\"xsd:string\" minOccurs=\"0\"/></xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>\n",
    );
    for name in ["error", "warning"] {
        let _ = writeln!(
            text,
            "<xsd:complexType name=\"{name}\"><xsd:sequence><xsd:element name=\"code\" type=\"xsd:string\"/>\
             <xsd:element name=\"type\" type=\"xsd:string\"/><xsd:element name=\"message\" type=\"xsd:string\"/>\
             <xsd:element name=\"severity\" type=\"xsd:string\"/></xsd:sequence></xsd:complexType>"
        );
    }
    let response = |name: &str, data: &str| {
        format!(
            "<xsd:complexType name=\"{name}\"><xsd:sequence><xsd:element name=\"data\" type=\"{data}\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\
             <xsd:element name=\"dataOffset\" type=\"xsd:int\" minOccurs=\"0\"/>\
             <xsd:element name=\"errors\" type=\"ns:error\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\
             <xsd:element name=\"warnings\" type=\"ns:warning\" minOccurs=\"0\" maxOccurs=\"unbounded\"/></xsd:sequence></xsd:complexType>\n"
        )
    };
    text.push_str(&response("response", "ns:top"));
    text.push_str(&response("textResponse", "xsd:string"));
}

fn complex_type(text: &mut String, shape: &'static Shape) {
    let base = match shape.family {
        Family::Entity => "entity",
        Family::State => "state",
        Family::Top | Family::Arguments => "top",
    };
    let _ = write!(
        text,
        "<xsd:complexType name=\"{}\"><xsd:annotation><xsd:documentation>",
        shape.name
    );
    escape(text, shape.doc);
    let _ = write!(
        text,
        "</xsd:documentation></xsd:annotation><xsd:complexContent><xsd:extension base=\"ns:{base}\"><xsd:sequence>"
    );
    // Base fields are the base type's; attributes come last, as in every answer.
    for field in shape.fields {
        element(text, field.name, field);
    }
    if shape.has_attributes {
        element(text, "attributes", &crate::shape::ATTRIBUTES);
    }
    text.push_str("</xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>\n");
}

fn element(text: &mut String, name: &str, field: &Field) {
    let many = field.many || matches!(field.ty, Type::Attributes);
    let _ = write!(
        text,
        "<xsd:element name=\"{name}\" type=\"{}\" minOccurs=\"0\"{}/>",
        schema_type(&field.ty),
        if many { " maxOccurs=\"unbounded\"" } else { "" }
    );
}

fn schema_type(ty: &Type) -> String {
    match ty {
        // Ids are digits, but clients must be free to send what the service refuses.
        Type::Integer(..) => "xsd:int".into(),
        Type::Boolean => "xsd:boolean".into(),
        Type::Rate | Type::Double => "xsd:double".into(),
        Type::Date => "xsd:date".into(),
        Type::DateTime => "xsd:dateTime".into(),
        Type::Bytes => "xsd:base64Binary".into(),
        Type::Channel => "xsd:int".into(),
        Type::Entity(shape) => format!("ns:{}", shape.name),
        Type::OneOf(_) => "ns:entity".into(),
        Type::Attributes => "ns:attribute".into(),
        _ => "xsd:string".into(),
    }
}

fn elements(text: &mut String, method: &'static Method) {
    let _ = write!(
        text,
        "<xsd:element name=\"{}\"><xsd:complexType><xsd:sequence>",
        method.name
    );
    for (position, field) in method.input.all_fields().enumerate() {
        element(text, &format!("arg{}", position + 1), field);
    }
    let response = if matches!(method.output, Output::Text) {
        "textResponse"
    } else {
        "response"
    };
    let _ = writeln!(
        text,
        "</xsd:sequence></xsd:complexType></xsd:element>\n<xsd:element name=\"{}Response\"><xsd:complexType><xsd:sequence>\
         <xsd:element name=\"return\" type=\"ns:{response}\" minOccurs=\"0\"/></xsd:sequence></xsd:complexType></xsd:element>",
        method.name
    );
}

fn operations(text: &mut String, methods: &[&'static Method], name: &str, address: &str) {
    for method in methods {
        let operation = method.name;
        let _ = writeln!(
            text,
            "<wsdl:message name=\"{operation}\"><wsdl:part name=\"parameters\" element=\"ns:{operation}\"/></wsdl:message>\n\
             <wsdl:message name=\"{operation}Response\"><wsdl:part name=\"parameters\" element=\"ns:{operation}Response\"/></wsdl:message>"
        );
    }
    let _ = writeln!(text, "<wsdl:portType name=\"{name}\">");
    for method in methods {
        let operation = method.name;
        let _ = write!(
            text,
            "<wsdl:operation name=\"{operation}\"><wsdl:documentation>"
        );
        escape(text, method.doc);
        let _ = writeln!(
            text,
            "</wsdl:documentation><wsdl:input message=\"ns:{operation}\"/><wsdl:output message=\"ns:{operation}Response\"/></wsdl:operation>"
        );
    }
    let _ = writeln!(
        text,
        "</wsdl:portType>\n<wsdl:binding name=\"{name}\" type=\"ns:{name}\"><soap:binding style=\"document\" \
         transport=\"http://schemas.xmlsoap.org/soap/http\"/>"
    );
    for method in methods {
        let _ = writeln!(
            text,
            "<wsdl:operation name=\"{}\"><soap:operation soapAction=\"\"/><wsdl:input><soap:body use=\"literal\"/></wsdl:input>\
             <wsdl:output><soap:body use=\"literal\"/></wsdl:output></wsdl:operation>",
            method.name
        );
    }
    let _ = write!(
        text,
        "</wsdl:binding>\n<wsdl:service name=\"{name}\"><wsdl:port name=\"{name}\" binding=\"ns:{name}\"><soap:address location=\""
    );
    escape(text, address);
    text.push_str("\"/></wsdl:port></wsdl:service>\n");
}
